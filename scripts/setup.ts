#!/usr/bin/env -S npx tsx
/** Installs what bootrace needs beside npm packages: `npx tsx scripts/setup.ts`, as root on Debian. */
import { doctor } from '../harness/commands/doctor.ts';
import { printError } from '../harness/commands/failure.ts';

try {
  process.exitCode = await doctor({ install: true });
} catch (error) {
  process.exitCode = printError(error);
}
