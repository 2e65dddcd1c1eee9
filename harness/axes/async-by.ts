import { type BuiltInAxis, choice } from './axis.ts';

/**
 * Who asks for asynchronous probes: `driver_async_probe=` of the kernel command line, or the module parameter
 * `async_probe=1`.
 */
export const ASYNC_BY: BuiltInAxis = {
  name: 'async-by',
  values: () => choice(['cmdline', 'param']),
  meaningless: ({ asynchronous, modules }, value) => {
    if (asynchronous.length === 0) return 'where no probe is asynchronous';
    return value === 'param' && asynchronous.some((subject) => !modules.includes(subject))
      ? 'for a driver that is built in: it has no module parameters'
      : null;
  },
  apply: (draft, value) => ({ ...draft, asyncBy: value === 'param' ? 'param' : 'cmdline' }),
};
