import type { CensusDevice, DeviceEnd } from './census.ts';

const ENOENT = 'error -2';

/** Why a device came to another end here than `there`, on hardware. What the boot does not state is called a guess. */
export function causeOf(there: DeviceEnd, device: CensusDevice): string {
  const { end, missing, reason, answeredBy, answers } = device;
  if (end === 'no-driver')
    return missing.length > 0
      ? `no driver loaded here: ${missing.join(', ')}`
      : (reason ?? 'this kernel has no driver');
  if (end === 'deferred' && reason !== null) return `waits here: ${reason}`;
  if (end === 'bound')
    return there === 'deferred'
      ? 'a guess: its supplier came there after the log or not at all'
      : `a guess: the hardware answers otherwise, or the kernels differ${by(answeredBy, answers?.broken)}`;
  const said = reason === null ? '' : ` (${reason})`;
  if (reason === ENOENT) return `a guess: a firmware file or a clock, reset or the like of that name is missing${said}`;
  switch (answeredBy) {
    case 'broken polls':
      return `a guess: ${answers?.broken ?? 0} of its polls were broken${said}`;
    case 'plain memory':
      return `a guess: its registers are plain memory, a model is missing${said}`;
    case 'models':
      return `a guess: its model does not do enough, or a peer behind it is missing${said}`;
    case 'none':
      return `a guess: nothing answers behind its bus or firmware${said}`;
  }
}

function by(answeredBy: CensusDevice['answeredBy'], broken: number | undefined): string {
  if (answeredBy === 'broken polls') return `; bound here on ${broken ?? 0} broken polls`;
  return answeredBy === 'plain memory' ? '; bound here on plain memory' : '';
}
