import { DmesgParser } from '../../harness/dmesg/parser.ts';
import { Summary } from '../../harness/dmesg/summary.ts';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { median, REPETITIONS } from './figures.ts';

const FEW = 10_000;
const MANY = 20_000;

/** Places of the digits of a node's address. */
const HEX = 16;
const FIRST_ADDRESS = 0x1000_0000;
const PAGE = 0x1000;
const addressOf = (n: number): string => (FIRST_ADDRESS + n * PAGE).toString(HEX);

const LACKED = ['clock', 'regulator', 'gpio', 'phy', 'reset', 'power domain', 'backlight', 'mailbox'];

/** What is said of one device of very many, by kinds of messages. */
const KINDS: Readonly<Record<string, (n: number) => readonly string[]>> = {
  reasons: (n) => [`platform ${addressOf(n)}.i2c: deferred probe pending: gadget: failed to get clock ${n}`],
  suppliers: (n) => [
    `platform ${addressOf(n)}.i2c: deferred probe pending: platform: wait for supplier /soc/clk@${addressOf(n)}`,
  ],
  chain: (n) => [
    `platform ${addressOf(n)}.i2c: deferred probe pending: platform: wait for supplier /soc/i2c@${addressOf(n + 1)}`,
  ],
  'no reason': (n) => [`platform ${addressOf(n)}.i2c: deferred probe pending`],
  'words alone': (n) => [`gadget ${addressOf(n)}.i2c: failed to get clock ${n}: -517`],
  'time-outs': (n) => [`gadget ${addressOf(n)}.i2c: deferred probe timeout, ignoring dependency`],
  failures: (n) => [
    `gadget ${addressOf(n)}.clock-controller: failed to load`,
    `gadget ${addressOf(n)}.clock-controller: probe with driver gadget failed with error -22`,
    `platform ${addressOf(n)}.i2c: deferred probe pending`,
  ],
  'silent drivers': (n) => [
    `gadget ${addressOf(n)}.i2c: Driver gadget requests probe deferral`,
    `platform ${addressOf(n)}.spi: probe deferral - supplier ${addressOf(n)}.i2c not ready`,
  ],
  providers: (n) => [
    `platform ${addressOf(n)}.clock-controller: deferred probe pending: gadget: failed to get reset`,
    `platform ${addressOf(n)}.reset-controller: deferred probe pending: gadget: failed to get clock`,
  ],
  released: (n) => [`gadget adsp-${n}: no fatal IRQ defined`, `remoteproc remoteproc${n}: releasing adsp-${n}`],
  errors: (n) => [`gadget ${addressOf(n)}.i2c: failed to load ${n}`],
  'errors of others': (n) => [
    `gadget${n} ${addressOf(n)}.dev${n}: failed to get ${LACKED[n % LACKED.length]} ${n}: -517`,
    `acme${n} ${addressOf(MANY + n)}.clock-controller: failed to read chip${n}: -22`,
  ],
  cycles: (n) => [`/soc/i2c@${addressOf(n)}: Fixed dependency cycle(s) with /soc/a@${addressOf(n)}`],
};

/** Seconds of CPU time that the roots of a log take, which has so many devices. */
function secondsFor(count: number, saidOf: (n: number) => readonly string[]): number {
  const messages = Array.from({ length: count }, (_, n) => saidOf(n)).flat();
  const log = messages.map((text, n) => `[${(12 + n / 1e6).toFixed(6).padStart(12)}] ${text}\n`).join('');
  const parser = new DmesgParser(null, 'complaints');
  const summary = new Summary();
  for (const event of [...parser.push(Buffer.from(log)), ...parser.end()]) summary.add(event);
  const finished = summary.finish(parser);
  const before = process.cpuUsage();
  formatWhy(whyUnbound(finished));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** What `why` costs for very many devices, and for half of them: twice as much is what it should be. */
export function manyDevices() {
  return Object.entries(KINDS).map(([kind, saidOf]) => {
    const rounds = Array.from({ length: REPETITIONS }, () => {
      const few = secondsFor(FEW, saidOf);
      return { few, many: secondsFor(MANY, saidOf) };
    });
    const many = median(rounds.map((round) => round.many));
    console.log(
      `why: ${MANY} devices, ${kind}: ${many.toFixed(2)} s of CPU time, ${median(rounds.map((round) => round.many / round.few)).toFixed(1)} times that of half of them`,
    );
    return { kind, rounds };
  });
}
