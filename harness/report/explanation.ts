import { type Condition, conditionText } from '../search/conditions.ts';
import type { Explanation } from '../search/explain.ts';
import { callerText } from '../search/sentence.ts';
import { count, printable } from './text.ts';

/** What `bisect order` found, for the console: the sentence first, then what it rests on. */
export function describeExplanation(explanation: Explanation, file: string): string {
  const { sentence, needed, irrelevant, boots } = explanation;
  const list = (title: string, conditions: readonly Condition[], note: (one: Condition) => string) =>
    conditions.length === 0
      ? []
      : [title, ...conditions.map((one) => `  ${printable(conditionText(one) + note(one))}`)];
  return [
    printable(sentence),
    '',
    ...list('Needed:', needed, (one) => callerNote(one, explanation) + delayNote(one, explanation)),
    ...list('Does not matter:', irrelevant, () => ''),
    `${count(boots, 'boot')}; minimal cell ${printable(file)}`,
    `  replay  npm run -s bootrace -- cell ${printable(file)}`,
    '',
  ].join('\n');
}

function callerNote(one: Condition, { caller, forCaller }: Explanation): string {
  const found = forCaller.find(({ condition }) => condition === one);
  return found === undefined ? '' : `, to crash ${callerText(caller)} and not ${callerText(found.otherwise)}`;
}

function delayNote(one: Condition, { delays }: Explanation): string {
  if (one.condition !== 'gate' || one.gate.gate !== 'delay') return '';
  const { device } = one.gate;
  const found = delays.find((delay) => delay.device === device);
  if (found === undefined) return '';
  const below = found.passesAt === null ? 'no shorter one passes' : `${found.passesAt} ms does not fail`;
  return `, the shortest that fails: ${below}${found.monotone ? '' : ', and neither do some longer ones'}`;
}
