#!/usr/bin/env -S npx tsx
/** Installs what bootrace needs beside npm packages: `npx tsx scripts/setup.ts`, as root on Debian; `--yes` does not ask. */
import { doctor } from '../harness/commands/doctor.ts';
import { guardProcess, printError } from '../harness/terminal/failure.ts';

guardProcess();
try {
  process.exitCode = await doctor({ install: true, ...(process.argv.includes('--yes') ? { yes: true } : {}) });
} catch (error) {
  process.exitCode = printError(error);
}
