#!/usr/bin/env node
// The harness is TypeScript run by tsx, so that there is no build step to forget.
import { register } from 'tsx/esm/api';

// Modules that are loaded before tsx do not go through its thread, file by file: a quarter of a second at every start.
await Promise.all(['commander', 'execa', 'p-queue', 'yaml', 'zod'].map((name) => import(name)));
register();
await import('./harness/cli.ts');
