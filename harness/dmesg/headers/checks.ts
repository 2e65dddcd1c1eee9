import type { CrashKind } from '../../model/crash.ts';
import { oneOf } from '../../regex.ts';
import { findFrame } from '../frame.ts';
import { isCore } from '../roles.ts';
import {
  anywhere,
  at,
  bareFunction,
  generalise,
  type Header,
  NOTHING,
  ofTask,
  type Rule,
  SRC,
  simple,
} from './header.ts';

/** The lead and blame rule of a WARNING, by the check that printed it. */
function warningFlavour(source: string | null, name: string): { kind: CrashKind; lead: string } {
  const file = source?.replace(/:\d+$/, '') ?? '';
  if (file.endsWith('lib/refcount.c') || /^refcount_/.test(name))
    return { kind: 'refcount', lead: 'WARNING: refcount bug' };
  if (file.endsWith('lib/debugobjects.c')) return { kind: 'warning', lead: 'WARNING: ODEBUG bug' };
  if (file.endsWith('lib/kobject.c')) return { kind: 'warning', lead: 'WARNING: kobject bug' };
  if (file.endsWith('fs/proc/generic.c') && /^proc_register/.test(name))
    return { kind: 'warning', lead: 'WARNING: proc registration bug' };
  if (file.endsWith('kernel/locking/lockdep.c')) return { kind: 'lockdep', lead: 'WARNING: locking bug' };
  if (file.endsWith('mm/usercopy.c')) return { kind: 'warning', lead: 'WARNING: bad usercopy' };
  if (/(?:^|\/)mm\//.test(file) && /^_*k?v?z?[mrc]*alloc/.test(name))
    return { kind: 'warning', lead: 'WARNING: kmalloc bug' };
  if (/(?:^|\/)mm\/page_alloc\.c$/.test(file) && /alloc/.test(name)) return { kind: 'warning', lead: 'WARNING' };
  return { kind: 'warning', lead: 'WARNING' };
}

function warning(source: string | null, where: string, extra: Partial<Header>): Header {
  const found = findFrame(where) ?? bareFunction(where);
  // The file is that of the function, or of what was inlined into it: what is in a driver's is no helper.
  const file = source?.replace(/:\d+$/, '') ?? '';
  const frame = found === null || file === '' || isCore(file) ? found : { ...found, home: file };
  const flavour = warningFlavour(source, frame?.function ?? '');
  return { ...NOTHING, ...flavour, frame, source, ...extra };
}

/** slab_bug(), mm/slub.c. */
const SLUB_BUG = oneOf(
  /Objects remaining .{1,60}|Object already free|Freepointer corrupt/,
  /(?:Poison|Redzone|Padding|Left Redzone|Right Redzone) overwritten/,
);

/** spin_bug() and rwlock_bug(), kernel/locking/spinlock_debug.c; the last is any other message of theirs. */
const SPIN_BUG = oneOf(
  /lockup suspected|lockup|already unlocked|recursion|bad magic|wrong owner|wrong CPU|cpu recursion|uninitialized/,
  /trylock failure on UP/,
  /[\w ]{3,32}?/,
);

/** BUG(), WARN() and what else the kernel checks of itself. */
export const CHECKS: readonly Rule[] = [
  // BUG(): lib/bug.c.
  {
    needle: 'ernel BUG at ',
    // Where no file is known: an address, or a function.
    pattern: anywhere(`[kK]ernel BUG at (?:${SRC}|((?=\\S{0,255}[\\d+!])\\S{1,255}))`),
    header: (match) => {
      const source = match[1] === undefined ? null : `${match[1]}:${match[2]}`;
      const file = match[1] ?? '';
      if (file.endsWith('lib/list_debug.c')) return { ...NOTHING, kind: 'bug', lead: 'BUG: corrupted list', source };
      if (file.endsWith('mm/usercopy.c')) return { ...NOTHING, kind: 'bug', lead: 'BUG: bad usercopy', source };
      return {
        ...NOTHING,
        kind: 'bug',
        lead: 'kernel BUG',
        source,
        frame: match[3] === undefined ? null : findFrame(match[3]),
      };
    },
  },
  {
    needle: 'BUG: failure at ',
    pattern: at(`BUG: failure at ${SRC}\\/([A-Za-z_]\\w{0,127})\\(\\)`),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: 'kernel BUG',
      source: `${match[1]}:${match[2]}`,
      frame: bareFunction(match[3] ?? ''),
    }),
  },
  // spl_panic(), module/os/linux/spl/spl-err.c of OpenZFS, and spl_debug_bug() before 0.7: the thread stops for good.
  {
    needle: 'PANIC',
    pattern: at(
      oneOf(
        `PANIC at ${SRC}:([A-Za-z_]\\w{0,127})\\(\\)$`,
        `SPLError: \\d+:\\d+:\\(${SRC}:([A-Za-z_]\\w{0,127})\\(\\)\\) SPL PANIC`,
      ),
    ),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: 'SPL panic',
      source: `${match[1] ?? match[4]}:${match[2] ?? match[5]}`,
      frame: bareFunction(match[3] ?? match[6] ?? ''),
    }),
  },
  // kernel/sched/core.c, lib/smp_processor_id.c.
  {
    needle: 'sleeping function called',
    pattern: anywhere(`BUG: sleeping function called from (?:invalid|illegal) context(?: at ${SRC})?`),
    header: (match) => ({
      ...NOTHING,
      kind: 'sleeping-in-atomic',
      lead: 'BUG: sleeping function called from invalid context',
      source: match[1] === undefined ? null : `${match[1]}:${match[2]}`,
    }),
  },
  {
    needle: 'scheduling while atomic',
    pattern: anywhere('BUG: scheduling while atomic: (.{1,32})\\/(\\d+)\\/'),
    header: ofTask('sleeping-in-atomic', 'BUG: scheduling while atomic'),
  },
  {
    needle: 'scheduling from the idle',
    pattern: at('bad: scheduling from the idle thread'),
    header: simple('sleeping-in-atomic', 'bad: scheduling from the idle thread'),
  },
  {
    needle: 'assuming ',
    pattern: anywhere('BUG: assuming (atomic|non migratable) context at'),
    header: (match) => ({ ...NOTHING, kind: 'sleeping-in-atomic', lead: `BUG: assuming ${match[1]} context` }),
  },
  {
    needle: '] code: ',
    pattern: anywhere('BUG: using (\\S{3,40}) in preemptible \\[[0-9a-f]+\\] code: (.{1,32})\\/(\\d+)'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: `BUG: using ${match[1]} in preemptible code`,
      survives: true,
      comm: match[2] ?? null,
      pid: Number(match[3]),
    }),
  },
  // kernel/locking/spinlock_debug.c.
  {
    needle: 'lock ',
    pattern: anywhere(
      String.raw`BUG: ((?:spinlock|rwlock)(?:-lockup)?) (${SPIN_BUG}) on (?:CPU#(\d+)|UP)(?:, (.{1,32})\/(\d+))?`,
    ),
    header: (match) => ({
      ...NOTHING,
      kind: /lockup/.test(match[2] ?? '') ? 'soft-lockup' : 'bug',
      lead: `BUG: ${match[1]} ${match[2]}`,
      survives: true,
      cpu: match[3] === undefined ? null : Number(match[3]),
      comm: match[4] ?? null,
      pid: match[5] === undefined ? null : Number(match[5]),
    }),
  },
  // mm/.
  {
    needle: 'BUG: Bad page state',
    pattern: anywhere('BUG: Bad page state in process (.{1,16}?) +pfn:'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: 'BUG: Bad page state',
      survives: true,
      comm: match[1] ?? null,
    }),
  },
  {
    needle: 'BUG: Bad page map',
    pattern: anywhere('BUG: Bad page (?:map|cache)'),
    header: simple('bug', 'BUG: Bad page map', { named: false, survives: true }),
  },
  {
    needle: 'BUG: Bad rss-counter',
    pattern: anywhere('BUG: Bad rss-counter state'),
    header: simple('bug', 'BUG: Bad rss-counter state', { named: false, survives: true, rule: 'header' }),
  },
  {
    needle: 'on freeing mm',
    pattern: anywhere('BUG: non-zero (\\w+) on freeing mm'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: `BUG: non-zero ${match[1]} on freeing mm`,
      survives: true,
      named: false,
      rule: 'header',
    }),
  },
  {
    needle: 'BUG: Dentry ',
    pattern: anywhere('BUG: Dentry .{1,200}still in use \\(-?\\d+\\)(?: +\\[unmount of ([^\\]]{1,64})\\])?'),
    header: (match) => ({
      ...NOTHING,
      kind: 'bug',
      lead: `BUG: Dentry still in use${match[1] === undefined ? '' : ` [unmount of ${generalise(match[1])}]`}`,
      survives: true,
      named: false,
    }),
  },
  {
    needle: 'BUG ',
    pattern: at(String.raw`(?:\[ )?BUG ([\w.:-]{1,64}?)(?: ?\((?:Not t|T)ainted.{0,64}?\): (.{1,80})|: (${SLUB_BUG}))`),
    header: (match) => ({
      ...NOTHING,
      sure: false,
      kind: 'bug',
      lead: `BUG ${match[1]}: ${generalise((match[2] ?? match[3] ?? '').replace(/\. .*$/, ''))}`,
      survives: true,
    }),
  },
  // WARN(): __warn() in kernel/panic.c, both orders (6.19 changed it), and 3.x without CPU and PID.
  {
    needle: 'WARNING: CPU: ',
    pattern: anywhere(
      `WARNING: CPU: (?:(\\d+)|[Xx*?N#]{1,4}) PID: (?:(\\d+)|[Xx*?N#]{1,8}) at(?: |$)(?:${SRC} ?)?(.{0,400})`,
    ),
    header: (match) =>
      warning(match[3] === undefined ? null : `${match[3]}:${match[4]}`, match[5] ?? '', {
        // People black out numbers.
        ...(match[1] === undefined ? {} : { cpu: Number(match[1]) }),
        ...(match[2] === undefined ? {} : { pid: Number(match[2]) }),
      }),
  },
  {
    needle: ', CPU#',
    pattern: anywhere(`WARNING: (?:\\[.{0,300}?\\] )?(?:${SRC} )?at (.{1,400}?), CPU#(\\d+): (.{1,32})\\/(\\d+)`),
    header: (match) =>
      warning(match[1] === undefined ? null : `${match[1]}:${match[2]}`, match[3] ?? '', {
        cpu: Number(match[4]),
        comm: match[5] ?? null,
        pid: Number(match[6]),
      }),
  },
  // The same, of which a text left out the end.
  {
    needle: 'WARNING: ',
    pattern: at(
      `WARNING: (?:\\[.{0,300}?\\] )?${SRC} at ([A-Za-z_][\\w.]{0,127}(?:\\+0x\\S{1,32})?(?: \\[[\\w-]{1,64}\\])?),?$`,
    ),
    header: (match) => ({ ...warning(`${match[1]}:${match[2]}`, match[3] ?? '', {}), sure: false }),
  },
  {
    needle: 'WARNING: at ',
    pattern: anywhere(`WARNING: at ${SRC} ?(.{0,400})`),
    header: (match) => warning(`${match[1]}:${match[2]}`, match[3] ?? '', {}),
  },
  {
    needle: 'WARNING: kernel stack',
    pattern: anywhere(
      "WARNING: kernel stack (regs|frame pointer) at +(?:\\([a-z]{1,8}\\)|\\S+) in .{1,40} has bad '?(\\w*)'? ?value",
    ),
    header: (match) => ({
      ...NOTHING,
      kind: 'warning',
      lead: `WARNING: kernel stack ${match[1]} has bad ${match[1] === 'regs' ? `'${match[2]}' ` : ''}value`,
      named: false,
      rule: 'header',
    }),
  },
  {
    needle: 'unchecked MSR access',
    pattern: anywhere('unchecked MSR access error: (RDMSR|WRMSR)'),
    header: (match, text) => ({
      ...NOTHING,
      kind: 'warning',
      lead: 'unchecked MSR access error',
      frame: findFrame(text.slice(match.index)),
      rule: null,
    }),
  },
  // of_node_release(), drivers/of/dynamic.c.
  {
    needle: 'Bad of_node_put',
    pattern: at('OF: ERROR: Bad of_node_put\\(\\) on '),
    header: simple('warning', 'OF: Bad of_node_put()', { sure: false }),
  },
  {
    needle: 'cannot create duplicate filename',
    pattern: at("sysfs: cannot create duplicate filename '"),
    header: simple('warning', 'sysfs: cannot create duplicate filename', { named: false, sure: false }),
  },
  {
    needle: 'nobody cared',
    pattern: at('irq (?:event )?\\d+: (?:nobody cared|bogus return value)'),
    header: simple('warning', 'irq: nobody cared', { named: false, sure: false, rule: 'header' }),
  },
];
