import type { Crash } from '../harness/dmesg/events.ts';
import { isFatal } from '../harness/model/crash.ts';

/** A crash in f() of which the log says nothing more, with the parts that a test is about. */
export function crashEvent(parts: Pick<Crash, 'kind'> & Partial<Crash>): Crash {
  const { kind } = parts;
  return {
    event: 'crash',
    line: 5,
    time: null,
    fatal: isFatal(kind),
    title: `${kind} in f`,
    trackerTitle: `${kind} in f`,
    signature: `${kind}: ${kind} in f`,
    function: 'f',
    offset: null,
    module: null,
    address: null,
    comm: null,
    pid: null,
    cpu: null,
    stalledCpus: [],
    passedOver: [],
    workqueue: null,
    pc: null,
    lr: null,
    trace: [],
    code: null,
    registers: {},
    source: null,
    lastLine: 6,
    text: [],
    followUps: [],
    truncated: false,
    probing: null,
    ...parts,
  };
}
