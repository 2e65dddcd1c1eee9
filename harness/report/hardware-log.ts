import type { ComparedDevice, LogComparison } from '../board/hardware-log.ts';
import { isSameMachine, MACHINE } from '../board/likely-cause.ts';
import { count } from './text.ts';

const EVIDENCE = { said: 'said', spoke: 'its driver spoke', implied: 'implied' } as const;

/** How a real board's log and the boot of its tree compare: the sum first, then a line for each difference. */
export function formatComparison(comparison: LogComparison, log: string): string {
  const { stamped, devices, untold, notInTree, order, identities } = comparison;
  const same = devices.filter((device) => device.same);
  const of = (evidence: ComparedDevice['there']['evidence']) =>
    devices.filter(({ there }) => there.evidence === evidence);
  const [said, spoke, implied] = [of('said'), of('spoke'), of('implied')];
  const sameOf = (some: readonly ComparedDevice[]) =>
    `${some.length} (${some.filter((device) => device.same).length} the same)`;
  const differ = devices.filter((device) => !device.same);
  const unlike = identities.filter(({ there, here }) => there !== here);
  const [onlyThere, rest] = [differ.filter(isOnlyThere), differ.filter((device) => !isOnlyThere(device))];
  const [onlyHere, others] = [rest.filter(isOnlyHere), rest.filter((device) => !isOnlyHere(device))];
  const lines = [
    '',
    ...ofAnotherMachine(comparison, log),
    ...(stamped ? [] : [`no line of ${log} has a time stamp: what came when is a guess by the order of its lines`]),
    `${log}: ${same.length} of ${devices.length} devices whose end the log tells came to the same`,
    `  a line says the end of ${sameOf(said)}; ` +
      `a driver speaks for ${sameOf(spoke)}, and no failure follows: taken for bound`,
    `  ${sameOf(implied)} must be bound because a device that needs them is`,
    `  ${count(untold.length, 'device')} of the tree whose end the log does not tell; ` +
      `${notInTree.length} that it speaks of have no node in the tree`,
    `  of ${order.there.length} devices whose drivers speak in both, ${order.inOrder} came in the same order`,
    ...section('bound there, not here', onlyThere),
    ...section('bound here, not there', onlyHere),
    ...section('other ends', others),
    ...(identities.length === 0
      ? []
      : [
          '',
          `what the hardware says it is: ${identities.length - unlike.length} of ${identities.length} the same`,
          ...unlike.map(
            ({ device, what, there, here, cause }) =>
              `  ${device === null ? '' : `${device} `}${what}: ` +
              `${there ?? 'not said'} there, ${here ?? 'not said'} here: ${cause ?? ''}`,
          ),
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What holds for one board says nothing of another. */
function ofAnotherMachine({ identities }: LogComparison, log: string): string[] {
  const machine = identities.find(({ what }) => what === MACHINE);
  if (machine === undefined || machine.there === null || machine.here === null) return [];
  if (isSameMachine(machine.there, machine.here)) return [];
  return [
    `${log} is of another machine, ${machine.there}, and the tree is of ${machine.here}: most of this says nothing`,
  ];
}

function isOnlyThere({ there, here }: ComparedDevice): boolean {
  return there.end === 'bound' && here !== 'bound';
}

function isOnlyHere({ there, here }: ComparedDevice): boolean {
  return there.end !== 'bound' && here === 'bound';
}

function section(heading: string, devices: readonly ComparedDevice[]): string[] {
  if (devices.length === 0) return [];
  return [
    '',
    `${heading}:`,
    ...devices.map(
      ({ name, there, here, cause }) =>
        `  ${name}: ${there.end} there (line ${there.line}, ${EVIDENCE[there.evidence]}` +
        `${there.evidence === 'implied' ? `: ${there.words}` : ''}), ${here} here: ${cause ?? ''}`,
    ),
  ];
}
