import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CRASH_KINDS, crashFacts, isFatal, isTerminal } from '../../harness/model/crash.ts';
import { isFault, isMissing, isOfBoot, isPass, isWorse, VERDICTS, verdictFacts } from '../../harness/model/verdict.ts';

describe('verdicts', () => {
  it('stand from best to worst', () => {
    expect(VERDICTS).toEqual([
      'bound',
      'deferred-then-bound',
      'stuck-deferred',
      'probe-failed',
      'module-rejected',
      'warning',
      'hang',
      'retry-loop',
      'oops',
      'null-deref',
      'panic',
      'unbuildable',
      'infra-error',
    ]);
    expect(isWorse('retry-loop', 'hang')).toBe(true);
    expect(isWorse('bound', 'bound')).toBe(false);
  });

  it('are a pass, a fault, or neither', () => {
    expect(VERDICTS.filter(isPass)).toEqual(['bound', 'deferred-then-bound']);
    expect(VERDICTS.filter(isFault)).toEqual(['warning', 'hang', 'retry-loop', 'oops', 'null-deref', 'panic']);
    expect(VERDICTS.filter((verdict) => !isOfBoot(verdict))).toEqual(['unbuildable', 'infra-error']);
    expect(VERDICTS.filter(isMissing)).toEqual(['infra-error']);
  });

  it('have a letter each, and a style on the report page', () => {
    expect(new Set(VERDICTS.map((verdict) => verdictFacts(verdict).letter)).size).toBe(VERDICTS.length);
    const style = readFileSync(new URL('../../harness/report/page/style.css', import.meta.url), 'utf8');
    for (const verdict of VERDICTS) expect(style).toContain(`.v-${verdict} {`);
  });
});

describe('crash kinds', () => {
  it('end the boot where they lead to more than a warning', () => {
    for (const kind of CRASH_KINDS) expect(isTerminal(kind)).toBe(crashFacts(kind).verdict !== 'warning');
    expect(CRASH_KINDS.filter((kind) => isTerminal(kind) && !isFatal(kind))).toEqual([
      'rcu-stall',
      'hung-task',
      'soft-lockup',
      'hard-lockup',
      'workqueue-lockup',
    ]);
  });
});

it('the words of the house import nothing from the rooms above', () => {
  const room = new URL('../../harness/model/', import.meta.url);
  for (const file of readdirSync(room)) {
    const imports = [...readFileSync(new URL(file, room), 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1]);
    expect(imports.filter((path) => path?.startsWith('./') !== true)).toEqual([]);
  }
});
