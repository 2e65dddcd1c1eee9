import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** ci/slurm.sh on a Slurm of two nodes, both this machine; needs Debian's slurm-wlm and munge (docs/ci.md). */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PORT = 16817;
const PORTS_OF_NODES = [16821, 16822];
const MATRIX = `axes:
  kernel: [6.1]
  linkage: [builtin]
  async: [none, both]
expect:
  - { match: {}, verdict: VERDICT }
`;
let folder = '';
let environment: Record<string, string> = {};

beforeAll(async () => {
  // A socket's path has at most 108 bytes (unix(7)).
  folder = await mkdtemp('/tmp/slurm-');
  await chmod(folder, 0o755);
  const at = (name: string) => join(folder, name);
  const host = hostname().split('.')[0] ?? '';
  await mkdir(at('state'));
  await writeFile(
    at('slurm.conf'),
    [
      'ClusterName=bootrace',
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmctldPort=${PORT}`,
      'SlurmUser=root',
      'AuthType=auth/munge',
      `AuthInfo=socket=${at('munge.sock')}`,
      `StateSaveLocation=${at('state')}`,
      `SlurmdSpoolDir=${at('spool-%n')}`,
      `SlurmctldPidFile=${at('controller.pid')}`,
      `SlurmdPidFile=${at('node-%n.pid')}`,
      `SlurmctldLogFile=${at('controller.log')}`,
      `SlurmdLogFile=${at('node-%n.log')}`,
      'ProctrackType=proctrack/pgid',
      'TaskPlugin=task/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_CPU',
      'SchedulerParameters=sched_interval=2,bf_interval=2',
      'JobAcctGatherType=jobacct_gather/none',
      'MpiDefault=none',
      'SwitchType=switch/none',
      `NodeName=n[1-2] NodeHostname=${host} NodeAddr=127.0.0.1 Port=[${PORTS_OF_NODES.join('-')}] CPUs=2 State=UNKNOWN`,
      'PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP',
      '',
    ].join('\n'),
  );
  await writeFile(at('munge.key'), randomBytes(1024), { mode: 0o400 });
  environment = { SLURM_CONF: at('slurm.conf') };
  await execa('munged', [
    '--force',
    `--key-file=${at('munge.key')}`,
    `--socket=${at('munge.sock')}`,
    `--pid-file=${at('munge.pid')}`,
    `--log-file=${at('munge.log')}`,
    `--seed-file=${at('seed')}`,
  ]);
  await execa('slurmctld', [], { env: environment });
  for (const node of ['n1', 'n2']) await execa('slurmd', ['-N', node], { env: environment });
  for (const [name, verdict] of [
    ['good', 'bound'],
    ['bad', 'hang'],
  ] as const)
    await writeFile(at(`${name}.yaml`), MATRIX.replace('VERDICT', verdict));
  // A checkout of its own results.
  await mkdir(at('checkout'));
  for (const name of await readdir(ROOT))
    if (name !== 'results') await execa('ln', ['-s', join(ROOT, name), at('checkout')]);
});

afterAll(async () => {
  for (const name of (await readdir(folder)).filter((entry) => entry.endsWith('.pid')))
    process.kill(Number(await readFile(join(folder, name), 'utf8')));
  await sleep(1000);
  await rm(folder, { recursive: true, force: true });
});

function submit(matrix: string, ...words: string[]) {
  const env = {
    ...environment,
    BOOTRACE_KERNEL_CPUS: '2',
    BOOTRACE_BOOT_CPUS: '1',
    BOOTRACE_MATRIX: `--matrix ${join(folder, matrix)}`,
  };
  return execa('sh', ['ci/slurm.sh', ...words], { cwd: join(folder, 'checkout'), env, reject: false });
}

/** The exit code of a job that has ended. */
async function exitCodeOf(job: string): Promise<number> {
  for (;;) {
    const { stdout } = await execa('scontrol', ['show', 'job', job], { env: environment });
    const [, state = ''] = /JobState=(\w+)/.exec(stdout) ?? [];
    if (!['PENDING', 'RUNNING', 'COMPLETING', 'CONFIGURING'].includes(state))
      return Number(/ExitCode=(\d+)/.exec(stdout)?.[1]);
    await sleep(500);
  }
}

async function lastLog(): Promise<string> {
  const results = join(folder, 'checkout', 'results', 'slurm');
  const [night = ''] = (await readdir(results))
    .filter((name) => name.startsWith('20'))
    .sort()
    .reverse();
  return readFile(join(results, night, 'report.log'), 'utf8');
}

const waiting = async () => (await execa('squeue', ['--noheader'], { env: environment })).stdout;

test('a first night that fails says so', async () => {
  expect(await exitCodeOf((await submit('bad.yaml', '2')).stdout)).toBe(1);
  expect(await lastLog()).toContain('2 unexpected');
});

test('a night with nothing new passes, and so does a second one of the same day', async () => {
  for (const _ of ['first', 'second']) {
    expect(await exitCodeOf((await submit('bad.yaml', '2')).stdout)).toBe(0);
    expect(await lastLog()).toMatch(/2 still failing|0 new failures/);
  }
});

test('a night whose shards are cancelled does not pass', async () => {
  const report = Number((await submit('good.yaml', '2')).stdout);
  await execa('scancel', [`${report - 1}_2`], { env: environment });
  expect(await exitCodeOf(String(report))).toBe(3);
  expect(await lastLog()).toContain('shard 2 of 2 is missing');
  const all = Number((await submit('good.yaml', '2')).stdout);
  await execa('scancel', [String(all - 1)], { env: environment });
  expect(await exitCodeOf(String(all))).toBe(3);
  expect(await lastLog()).toContain('no shard has come to an end');
});

test('a night whose kernels cannot be built ends', async () => {
  expect(await exitCodeOf((await submit('nonesuch.yaml', '2')).stdout)).toBe(3);
  expect(await waiting()).toBe('');
});

test('a night that is refused leaves no job behind', async () => {
  const { exitCode, stderr } = await submit('good.yaml', '5000');
  expect(stderr).toContain('Invalid job array specification');
  expect(exitCode).not.toBe(0);
  await sleep(2000);
  expect(await waiting()).toBe('');
});
