import { z } from 'zod';
import { InputError } from '../errors.ts';
import { isPass, VERDICTS, type Verdict } from '../model/verdict.ts';

/** What one boot of a commit showed, or why there was none. Kept between runs, hence the schema. */
export const sightingSchema = z.discriminatedUnion('saw', [
  z.object({
    saw: z.literal('boot'),
    verdict: z.enum(VERDICTS),
    signature: z.string().nullable().describe('of the crash'),
    reason: z.string(),
    /** The crash report's first lines. */
    crash: z.array(z.string()).readonly(),
    /** `-icount shift=` of the boot. */
    shift: z.number().int(),
    /** False where the image and all else was the same as in an earlier boot. */
    booted: z.boolean(),
    notes: z.array(z.string()).readonly(),
  }),
  /** No kernel, or one that says nothing about what is looked for. */
  z.object({ saw: z.literal('nothing'), reason: z.string() }),
]);
export type Sighting = z.infer<typeof sightingSchema>;

/** What was seen of one commit: a boot per interleaving, up to the first that showed what is looked for. */
export interface Observation {
  readonly commit: string;
  readonly sightings: readonly Sighting[];
  /** Wall-clock time of build and boots. */
  readonly seconds: number;
}

/** What counts as bad, and what as good beside the verdicts that always do. Both are crash signatures or verdicts. */
export interface Claim {
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

/** The decision about a commit. `unsure`: it neither shows what is looked for nor proves it absent. */
export interface Judgement {
  readonly answer: 'good' | 'bad' | 'unsure';
  /** What decided: a crash signature, a verdict, or why there was no boot. */
  readonly shown: string;
}

/** What a boot is known by: its crash's signature, or where there is none its verdict. */
export function sightingKey(sighting: Sighting): string {
  return sighting.saw === 'nothing' ? sighting.reason : (sighting.signature ?? sighting.verdict);
}

function judgeSighting(sighting: Sighting, claim: Claim): Judgement['answer'] {
  if (sighting.saw === 'nothing') return 'unsure';
  const matches = (words: readonly string[]) =>
    words.includes(sightingKey(sighting)) || words.includes(sighting.verdict);
  if (matches(claim.bad)) return 'bad';
  return isPass(sighting.verdict) || matches(claim.good) ? 'good' : 'unsure';
}

/**
 * Good, bad or unsure. Bad when any interleaving shows what is looked for; good when all of them work; another crash,
 * no kernel or no verdict proves nothing.
 */
export function judgeCommit(sightings: readonly Sighting[], claim: Claim): Judgement {
  for (const answer of ['bad', 'unsure', 'good'] as const) {
    const deciding = sightings.find((sighting) => judgeSighting(sighting, claim) === answer);
    if (deciding !== undefined) return { answer, shown: sightingKey(deciding) };
  }
  return { answer: 'unsure', shown: 'nothing was booted' };
}

/** What a commit of the bad end shows that a working kernel does not, or null. */
export function failureOf(sightings: readonly Sighting[]): Extract<Sighting, { saw: 'boot' }> | null {
  for (const sighting of sightings)
    if (sighting.saw === 'boot' && judgeSighting(sighting, { bad: [], good: [] }) !== 'good') return sighting;
  return null;
}

export interface Ends {
  /** As the user named it, and the full hash. */
  readonly good: { readonly name: string; readonly commit: string };
  readonly bad: { readonly name: string; readonly commit: string };
}

/**
 * What the two ends say is looked for. `wanted`: what the user says counts as bad; none takes what the bad end shows.
 * @throws InputError when an end is not as claimed
 */
export function claimOfEnds(
  ends: Ends,
  seen: { readonly good: readonly Sighting[]; readonly bad: readonly Sighting[] },
  wanted: readonly string[],
): Claim {
  const failure = failureOf(seen.bad);
  const nothing = judgeCommit(seen.bad, { bad: wanted, good: [] });
  if (wanted.length === 0 && failure === null)
    throw nothing.answer === 'good'
      ? new InputError(
          `the bad end ${ends.bad.name} is good: it shows ${nothing.shown}`,
          'name one where the cell fails, or say with --shows what counts as bad',
        )
      : new InputError(`the bad end ${ends.bad.name} cannot be judged: ${nothing.shown}`, 'name another commit');
  const bad = wanted.length > 0 || failure === null ? wanted : [sightingKey(failure)];
  const atBad = judgeCommit(seen.bad, { bad, good: [] });
  if (atBad.answer !== 'bad')
    throw new InputError(
      `the bad end ${ends.bad.name} does not show ${bad.join(' or ')}: it shows ${atBad.shown}`,
      'leave out --shows to look for what it shows',
    );
  const atGood = judgeCommit(seen.good, { bad, good: [] });
  if (atGood.answer === 'bad')
    throw new InputError(`the good end ${ends.good.name} is bad: it shows ${atGood.shown}`, 'name an older commit');
  const crashed = seen.good.find((sighting) => sighting.saw === 'nothing' || sighting.signature !== null);
  if (atGood.answer === 'unsure' && crashed !== undefined)
    throw new InputError(
      `the good end ${ends.good.name} is neither good nor bad: it shows ${sightingKey(crashed)}`,
      'name one where the cell works',
    );
  return { bad, good: seen.good.map(sightingKey) };
}

/** The decision without a bad end to compare with: bad is a boot whose verdict the cell does not expect. */
export function judgeExpected(sightings: readonly Sighting[], expected: readonly Verdict[]): Judgement {
  const unexpected = sightings.find((one) => one.saw === 'boot' && !expected.includes(one.verdict));
  if (unexpected !== undefined) return { answer: 'bad', shown: sightingKey(unexpected) };
  const nothing = sightings.find((one) => one.saw === 'nothing');
  const first = nothing ?? sightings[0];
  if (first === undefined) return { answer: 'unsure', shown: 'nothing was booted' };
  return { answer: nothing === undefined ? 'good' : 'unsure', shown: sightingKey(first) };
}
