import { type Condition, conditionText } from '../search/conditions.ts';
import type { Explanation } from '../search/explain.ts';
import { callerText } from '../search/sentence.ts';
import { count, printable } from './text.ts';

/** What `bisect order` found, for the console: the sentence first, then what it rests on. */
export function describeExplanation(explanation: Explanation, file: string): string {
  const { sentence, needed, irrelevant, delays, boots, caller, forCaller } = explanation;
  const list = (title: string, conditions: readonly Condition[]) =>
    conditions.length === 0
      ? []
      : [title, ...conditions.map((one) => `  ${printable(conditionText(one))}${only(one)}`)];
  const only = (one: Condition) => {
    const found = forCaller.find(({ condition }) => condition === one);
    return found === undefined ? '' : `, to crash ${callerText(caller)} and not ${callerText(found.otherwise)}`;
  };
  return [
    printable(sentence),
    '',
    ...list('Needed:', needed),
    ...list('Does not matter:', irrelevant),
    ...delays.map(
      ({ device, failsFrom, passesAt, monotone }) =>
        `  delay of ${printable(device)}: fails from ${failsFrom} ms, ${passesAt === null ? 'no shorter one passes' : `passes at ${passesAt} ms`}${monotone ? '' : ' (not monotone)'}`,
    ),
    `${count(boots, 'boot')}; minimal cell ${printable(file)}`,
    `  replay  npm run -s bootrace -- cell ${printable(file)}`,
    '',
  ].join('\n');
}
