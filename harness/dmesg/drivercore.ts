import { oneOf } from '../regex.ts';
import { deferralEvent } from './deferral.ts';
import type { DmesgEvent } from './events.ts';
import { machineEvent } from './machine.ts';
import { rootEvent } from './root.ts';

/**
 * Messages of drivers/base and init/main.c: what became of every device and initcall. Until 6.9 the device stands in
 * the text, since 6.10 it is the dev_dbg() prefix; both are read.
 */

interface At {
  readonly line: number;
  readonly time: number | null;
}

/** `DRIVER DEVICE: rest`, the prefix of dev_printk(); device names may hold colons (`pci 0000:00:01.0`). */
const PREFIX = String.raw`(?:(\S{1,64}) )?(\S{1,128}): `;

const MATCHED_OLD = /^bus: '[^']{1,64}': (?:__)?driver_probe_device: matched device (\S+) with driver (\S+)/;
const MATCHED_NEW = new RegExp(
  `^${PREFIX}bus: '[^']{1,64}': (?:__)?driver_probe_device: matched device with driver (\\S+)`,
);
const ENTERED_OLD = /^bus: '[^']{1,64}': really_probe: probing driver (\S+) with device (\S+)/;
const ENTERED_NEW = new RegExp(`^${PREFIX}bus: '[^']{1,64}': really_probe: probing driver (\\S+) with device$`);
/** __driver_attach() and __device_attach_async_helper(), drivers/base/dd.c: the latter knows the device alone. */
const ASYNC_DRIVER = new RegExp(`^${PREFIX}probing driver (\\S+) asynchronously$`);
const ASYNC_DEVICE = new RegExp(`^${PREFIX}async probe completed$`);
const BOUND_OLD = /^driver: '([^']{1,64})': driver_bound: bound to device '([^']{1,128})'/;
const BOUND_NEW = new RegExp(`^${PREFIX}driver: '([^']{1,64})': driver_bound: bound to device`);
/** component_bind(), drivers/base/component.c: a part is bound to its whole, so its own driver is on it, too. */
const BOUND_PART = new RegExp(`^${PREFIX}bound (\\S{1,128}) \\(ops [^()]{1,128}\\)`);
const REQUESTS = new RegExp(`^${PREFIX}Driver (\\S+) (?:requests|force) probe deferral`);
const SUPPLIER = new RegExp(
  `^${PREFIX}(?:error -EPROBE_DEFER: |probe deferral - )((?:supplier|wait for supplier) .{1,300})`,
);
const QUEUED = new RegExp(`^${PREFIX}(Added to|Retrying from) deferred list`);
const FAILED_OLD = /^(\S{1,64}): probe of (\S{1,128}) failed with error (-?\d{1,10})/;
const FAILED_NEW = new RegExp(`^${PREFIX}probe with driver (\\S+) failed with error (-?\\d{1,10})`);
/** The same, in which a person left words out. */
const FAILED_CUT = new RegExp(`^${PREFIX}prob(?:e|ing) (?:\\.{2,3}|\u2026) (?:failed with )?error (-?\\d{1,6})`);
/** call_driver_probe(), drivers/base/dd.c: -ENODEV and -ENXIO, at the debug level; the first form until 6.9. */
const REJECTS_OLD = /^(\S{1,64}): probe of (\S{1,128}) rejects match -(\d{1,3})$/;
const REJECTS_NEW = new RegExp(`^${PREFIX}probe with driver (\\S+) rejects match -(\\d{1,3})$`);
const RETURNED = /^probe of (\S{1,128})(?: with driver (\S{1,64}))? returned (-?\d{1,6}) after (\d{1,15}) usecs/;
const TIMEOUT = new RegExp(
  `^${PREFIX}(?:deferred probe timeout, )?ignoring dependency( for device)?(?:, assuming no driver)?$`,
);
const PENDING = new RegExp(`^${PREFIX}deferred probe pending(?:: (.{1,300})| \\([^()]{1,64}\\))?[\`'"]?$`);

/** The same: a person may quote the message. */
const UNQUOTED_REASON = /^(\(reason unknown\))['"`]+\.?$/;
const LEFT_OUT = /^\[?(?:\.{2,}|\u2026)\]?$/;
/** The same message as {@link RETURNED}, where a mail program or a person cut it. */
const RETURNED_CUT = /^probe of (\S{1,128})(?: with driver (\S{1,64}))? returned (-?517)\b/;

/** Function, module. */
const INITCALL = String.raw`([\w.$]{1,128})\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[([\w-]{1,64})\])?`;
const CALLING = new RegExp(String.raw`^calling {2}${INITCALL} @ \d+`);
const CALLED = new RegExp(String.raw`^initcall ${INITCALL} returned (-?\d{1,6}) after (\d{1,15}) usecs`);
const BANNER = /^Linux version (\d\S{0,127})/;
const DROPPED = /^\*{2} (\d{1,12}) printk messages dropped/;
const SHUTDOWN = /^reboot: (?:Power down|System halted|Restarting system|Power off not available|machine restart)/;
const USER_SPACE = new RegExp(
  oneOf(
    /^Run (?:\/|init)\S{0,200} as init process|^systemd\[1\]: /,
    /^Freeing (?:unused kernel|init) |^Freeing unused kernel image/,
    /(?:^|\s)login: ?$/,
  ),
);
const AGENT = /^bootrace: ([a-z-]{1,32})(?: (.{0,1000}))?$/;

/** The function, and before it the module: flags `f` and `m` of dynamic debug. */
const FUNCTION = new RegExp(
  `^(?:\\w{1,64}:)?${oneOf(
    /really_probe|driver_bound|(?:__)?driver_probe_device/,
    /call_driver_probe|driver_deferred_probe_add/,
  )}: `,
);

/** A word that is in every one of them, which spares most lines the rest. */
const REJECTION = /symbol|version magic|section|relocation|is rejected|is restricted/;
/** Reasons that the module loader gives: kernel/module (kernel/module.c before 5.19). */
const REJECTED: readonly RegExp[] = [
  /^([\w-]{1,64}): (Unknown symbol \S{1,128} \(err -?\d+\))/,
  /^([\w-]{1,64}): (disagrees about version of symbol \S{1,128})/,
  /^([\w-]{1,64}): (version magic .{1,400} should be .{1,400})/,
  /^([\w-]{1,64}): (no symbol version for \S{1,128})/,
  /^([\w-]{1,64}): (exports duplicate symbol \S{1,128}.{0,200})/,
  /^([\w-]{1,64}): (module PLT section\(s\) missing|Unknown rela? relocation.{0,100})/,
  /^Lockdown: ()[^:]{1,16}: (unsigned module loading is restricted)/,
  /^Loading of ()(unsigned module is rejected)/,
  /^Loading of ()(module with (?:unsupported crypto|unavailable key|invalid signature) is rejected)/,
];

/** The event that a record states, if it is one of the driver core, the init code or the guest's agent. */
export function driverCoreEvent(said: string, at: At): DmesgEvent | null {
  const text = said.startsWith('really_probe: ') || said.includes('river_') ? said.replace(FUNCTION, '') : said;
  return (
    initcallEvent(text, at) ??
    probeEvent(text, at) ??
    deferralEvent(text, at) ??
    rootEvent(text, at) ??
    bootEvent(text, at)
  );
}

/** First, as with initcall_debug two of three lines are of these, and as no other event can begin like them. */
function initcallEvent(text: string, at: At): DmesgEvent | null {
  const calling = text.startsWith('calling ') ? CALLING.exec(text) : null;
  if (calling?.[1] !== undefined)
    return { event: 'initcall-entered', function: calling[1], module: calling[2] ?? null, ...at };
  const called = text.startsWith('initcall ') ? CALLED.exec(text) : null;
  if (called?.[1] === undefined) return null;
  return {
    event: 'initcall-returned',
    function: called[1],
    module: called[2] ?? null,
    value: Number(called[3]),
    usecs: Number(called[4]),
    ...at,
  };
}

function probeEvent(text: string, at: At): DmesgEvent | null {
  if (text.startsWith('probe of ')) return returnedEvent(text, at);
  if (text.includes('prob') || text.includes('EPROBE_DEFER') || text.includes('ignoring dependency')) {
    const old = MATCHED_OLD.exec(text);
    if (old?.[1] !== undefined) return { event: 'matched', device: old[1], driver: old[2] ?? null, ...at };
    const matched = MATCHED_NEW.exec(text);
    if (matched?.[2] !== undefined) return { event: 'matched', device: matched[2], driver: matched[3] ?? null, ...at };
    const entered = ENTERED_OLD.exec(text);
    if (entered?.[2] !== undefined)
      return { event: 'probe-entered', device: entered[2], driver: entered[1] ?? null, ...at };
    const trying = ENTERED_NEW.exec(text);
    if (trying?.[2] !== undefined)
      return { event: 'probe-entered', device: trying[2], driver: trying[3] ?? null, ...at };
    const attached = ASYNC_DRIVER.exec(text) ?? ASYNC_DEVICE.exec(text);
    if (attached?.[2] !== undefined)
      return { event: 'probe-async', device: attached[2], driver: attached[3] ?? null, ...at };
    const requests = REQUESTS.exec(text);
    if (requests?.[2] !== undefined)
      return {
        event: 'deferred',
        by: 'driver',
        reason: null,
        everyTime: true,
        device: requests[2],
        driver: requests[3] ?? null,
        ...at,
      };
    const failed = FAILED_OLD.exec(text);
    if (failed?.[2] !== undefined) return failedEvent(failed[2], failed[1], failed[3], at);
    const failing = FAILED_NEW.exec(text);
    if (failing?.[2] !== undefined) return failedEvent(failing[2], failing[3], failing[4], at);
    const rejects = text.includes('rejects match') ? rejectedEvent(text, at) : null;
    if (rejects !== null) return rejects;
    const cut = FAILED_CUT.exec(text);
    if (cut?.[2] !== undefined) return failedEvent(cut[2], cut[1], cut[3], at);
    const timeout = TIMEOUT.exec(text);
    if (timeout?.[2] !== undefined) {
      const ended = { event: 'deferral-timeout', device: timeout[2], driver: null, ...at } as const;
      return timeout[3] === undefined ? ended : { ...ended, assumed: true };
    }
    const pending = PENDING.exec(text);
    if (pending?.[2] !== undefined)
      return {
        event: 'deferral-pending',
        reason: reasonOf(pending[3]),
        device: pending[2],
        driver: null,
        ...at,
      };
    const supplier = SUPPLIER.exec(text);
    if (supplier?.[2] !== undefined)
      return {
        event: 'deferred',
        by: 'supplier',
        reason: supplier[3] ?? null,
        device: supplier[2],
        driver: null,
        ...at,
      };
  }
  if (text.includes('deferred list')) {
    const queued = QUEUED.exec(text);
    if (queued?.[2] === undefined) return null;
    if (queued[3] === 'Retrying from') return { event: 'retried', device: queued[2], driver: null, ...at };
    return { event: 'deferred', by: 'unknown', reason: null, device: queued[2], driver: null, ...at };
  }
  const part = text.includes(': bound ') ? BOUND_PART.exec(text)?.[3] : undefined;
  if (part !== undefined) return { event: 'bound', device: part, driver: null, ...at };
  if (text.includes('driver_bound')) {
    const old = BOUND_OLD.exec(text);
    if (old?.[2] !== undefined) return { event: 'bound', device: old[2], driver: old[1] ?? null, ...at };
    const bound = BOUND_NEW.exec(text);
    if (bound?.[2] !== undefined) return { event: 'bound', device: bound[2], driver: bound[3] ?? null, ...at };
  }
  return null;
}

/** Null for what a person left out. */
function reasonOf(words: string | undefined): string | null {
  return words === undefined || LEFT_OUT.test(words) ? null : words.replace(UNQUOTED_REASON, '$1');
}

function failedEvent(device: string, driver: string | undefined, error = '0', at: At): DmesgEvent {
  const value = Number(error);
  const failed = { event: 'probe-failed', device, driver: driver ?? null, error: Math.abs(value) } as const;
  return { ...failed, ...(value > 0 ? { positive: true } : {}), words: null, ...at };
}

function rejectedEvent(text: string, at: At): DmesgEvent | null {
  const declined = (device: string, driver = '', error = '0'): DmesgEvent => {
    return { event: 'probe-declined', device, driver, error: Number(error), words: null, ...at };
  };
  const [, driver, device, error] = REJECTS_OLD.exec(text) ?? [];
  if (device !== undefined) return declined(device, driver, error);
  const [, , name, by, errno] = REJECTS_NEW.exec(text) ?? [];
  return name === undefined ? null : declined(name, by, errno);
}

function returnedEvent(text: string, at: At): DmesgEvent | null {
  const returned = RETURNED.exec(text) ?? RETURNED_CUT.exec(text);
  if (returned?.[1] === undefined) return null;
  return {
    event: 'probe-returned',
    device: returned[1],
    driver: returned[2] ?? null,
    value: Number(returned[3]),
    usecs: Number(returned[4] ?? 0),
    ...at,
  };
}

function bootEvent(text: string, at: At): DmesgEvent | null {
  const agent = text.startsWith('bootrace: ') ? AGENT.exec(text) : null;
  if (agent?.[1] !== undefined) {
    const words = (agent[2] ?? '').split(/[ \t]+/).filter((word) => word !== '');
    return { event: 'agent', verb: agent[1], words, ...at };
  }
  const banner = BANNER.exec(text);
  if (banner?.[1] !== undefined) return { event: 'banner', release: banner[1], ...at };
  const machine = machineEvent(text, at);
  if (machine !== null) return machine;
  const dropped = DROPPED.exec(text);
  if (dropped !== null) return { event: 'dropped', count: Number(dropped[1]), ...at };
  if (SHUTDOWN.test(text)) return { event: 'shutdown', ...at };
  if (USER_SPACE.test(text)) return { event: 'user-space', ...at };
  if (!REJECTION.test(text)) return null;
  for (const pattern of REJECTED) {
    const rejected = pattern.exec(text);
    if (rejected !== null) {
      return {
        event: 'module-rejected',
        module: rejected[1] === '' ? null : (rejected[1] ?? null),
        reason: rejected[2] ?? text.slice(0, 200),
        ...at,
      };
    }
  }
  return null;
}
