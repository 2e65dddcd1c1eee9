import type { DmesgEvent } from './events.ts';
import { isOneAttempt } from './lives.ts';
import { bothEnds, DRM } from './spoken.ts';

/** What a driver said of a device. */
export interface Words {
  readonly device: string;
  readonly driver: string | null;
  readonly words: string;
  readonly line: number;
  /** Where more was said in the same attempt, the line of the last of it. */
  readonly lastLine?: number;
  /** In so many attempts it was said, where that is known; one attempt says it once or more. */
  readonly times?: number;
  /** In so many attempts anything was. */
  readonly attempts?: number;
  /** When it was said last, in microseconds; null where the line has no stamp. */
  readonly time?: number | null;
  /** What another driver said of an error just after. */
  readonly next?: Omit<Words, 'next'>;
}

/** Lines from what one says to what another says for it. */
const JUST_AFTER = 2;

/** More devices than a log speaks of; later ones are not kept. */
const MOST = 10_000;

/** What was said of a device that works. */
export interface GoodWords extends Words {
  /** The line in which its driver spoke of it first. */
  readonly first: number;
  /** When that was, in microseconds; null where the line has no stamp. */
  readonly since: number | null;
  /** That was of its network interface. */
  readonly ofInterface: boolean;
  /** How often its driver has said since what it had said first, with nothing in between that was not said before. */
  readonly begins: number;
  /** The line in which it did so last. */
  readonly begun: number;
}

/** More than a driver says in one probe, and as much of it as tells one message from another. */
const MOST_SAID = 8;
const KEY = 40;

/** What drivers said last of devices, as of those that work; memory is bounded. */
export class Heard {
  readonly #kept = new Map<string, GoodWords & { readonly opening: string; readonly said: Set<string> }>();

  add(event: Extract<DmesgEvent, { readonly event: 'spoke' }>): void {
    const { device, driver, words, line, time } = event;
    const known = this.#kept.get(device);
    if (known === undefined && this.#kept.size >= MOST) return;
    const key = keyOf(words);
    const { first = line, since = time, opening = key, said = new Set<string>() } = known ?? {};
    const isNew = !said.has(key);
    if (isNew && said.size < MOST_SAID) said.add(key);
    const isBegin = !isNew && key === opening && known !== undefined && keyOf(known.words) !== opening;
    const begins = isNew ? 0 : (known?.begins ?? 0) + Number(isBegin);
    const begun = isBegin ? line : (known?.begun ?? line);
    const ofInterface = known?.ofInterface ?? event.ofInterface === true;
    this.#kept.set(device, { device, driver, words, line, first, since, ofInterface, opening, said, begins, begun });
  }

  /** By device. */
  get all(): ReadonlyMap<string, GoodWords> {
    return this.#kept;
  }
}

/** Numbers are of the attempt, or of another part. */
function keyOf(words: string): string {
  return words.replaceAll(/\d+/g, '0').slice(0, KEY);
}

/** Of each device, what was said first and last in the last attempt to probe it; memory is bounded. */
export class Complaints {
  readonly #kept = new Map<
    string,
    Words & {
      readonly times: number;
      readonly attempts: number;
      readonly said: readonly string[];
      readonly last: { readonly time: number | null; readonly line: number };
    }
  >();

  #last: { readonly device: string; readonly line: number } | null = null;

  add({ device, driver, words, line, time }: Extract<DmesgEvent, { readonly event: 'complained' }>): void {
    const previous = this.#last === null ? undefined : this.#kept.get(this.#last.device);
    if (previous !== undefined && previous.device !== device && line - (this.#last?.line ?? 0) <= JUST_AFTER)
      this.#kept.set(previous.device, { ...previous, next: { device, driver, words, line } });
    this.#last = { device, line };
    const known = this.#kept.get(device);
    if (known === undefined && this.#kept.size >= MOST) return;
    const last = { time, line };
    const before = known !== undefined && isOneAttempt(known.last, last) ? known : null;
    const said = bothEnds(before?.said ?? [], words);
    const first = said.length > 1 || said[0] !== words ? (before?.line ?? line) : line;
    const times = before?.times ?? (known?.said[0] === words ? known.times + 1 : 1);
    const attempts = (known?.attempts ?? 0) + (before === null ? 1 : 0);
    this.#kept.set(device, {
      device,
      times,
      attempts,
      driver: before?.driver ?? driver,
      words: said.join('; '),
      said,
      line: first,
      lastLine: line,
      time,
      last,
    });
  }

  /** A part could not be bound: what a function said just before is told of that, and matters as long as it does. */
  noteBind(line: number): void {
    const { device = '', line: said = 0 } = this.#last ?? {};
    if (line - said <= JUST_AFTER && this.#kept.get(device)?.driver === DRM) this.#kept.delete(device);
  }

  /** By device. */
  get all(): ReadonlyMap<string, Words> {
    return this.#kept;
  }
}
