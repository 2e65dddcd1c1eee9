import { type BuiltInAxis, choice } from './axis.ts';

/** /sys/bus/platform/drivers_autoprobe before the first module is loaded; `off` probes by hand. */
export const AUTOPROBE: BuiltInAxis = {
  name: 'autoprobe',
  values: () => choice(['on', 'off']),
  meaningless: ({ board, modules }, value) =>
    value === 'off' && modules.length < board.subjects.length
      ? 'for a driver that is built in: it has probed before the guest can switch it off'
      : null,
  apply: (draft, value) => ({ ...draft, autoprobe: value === 'on' }),
};
