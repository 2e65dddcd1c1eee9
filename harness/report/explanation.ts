import { commandLine } from '../invocation.ts';
import { isShort } from '../model/gate.ts';
import { printable } from '../printable.ts';
import { type Condition, conditionText, milliseconds } from '../search/conditions.ts';
import type { Explanation } from '../search/explain.ts';
import { callerText, type DelayThreshold, longerDelays } from '../search/sentence.ts';
import { count } from './text.ts';

/** What `bisect order` found, for the console: the sentence first, then what it rests on. */
export function describeExplanation(explanation: Explanation, file: string): string {
  const { sentence, needed, forCaller, irrelevant, delays, boots, others } = explanation;
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${printable(line)}`)];
  const caller =
    forCaller === null
      ? []
      : list(
          `To crash ${callerText(forCaller.caller)}, as the given cell does, ` +
            `and not ${callerText(forCaller.otherwise)}, also:`,
          [...forCaller.conditions.map(conditionText), ...longerDelays(forCaller, delays)],
        );
  return [
    printable(sentence),
    '',
    ...list(
      'Needed:',
      needed.map((one) => conditionText(one) + delayNote(one, delays)),
    ),
    ...caller,
    ...list('Does not matter:', irrelevant.map(conditionText)),
    ...list(
      'Also wrong in the given cell, and not explained here (--failure NAME does):',
      others.map(({ what }) => what),
    ),
    `${count(boots, 'boot')}; minimal cell ${printable(file)}`,
    `  replay  ${printable(commandLine(['cell', file]))}`,
    '',
  ].join('\n');
}

/** What was seen on both sides of a delay's border. */
function delayNote(one: Condition, delays: readonly DelayThreshold[]): string {
  if (one.condition !== 'gate' || !isShort(one.gate, 'delay')) return '';
  const { device } = one.gate;
  const found = delays.find((delay) => delay.device === device);
  if (found === undefined) return '';
  const { passesAt, passesAbove, failsBelow } = found;
  const notes = [
    passesAt === null ? 'no delay is needed at all' : `${milliseconds(passesAt)} does not fail`,
    ...(failsBelow === null ? [] : [`${milliseconds(failsBelow)} does`]),
    ...(passesAbove === null ? [] : [`${milliseconds(passesAbove)} does not either`]),
  ];
  return `: ${notes.join(', ')}`;
}
