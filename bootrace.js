#!/usr/bin/env node
// The harness is TypeScript run by tsx, so that there is no build step to forget.
import { register } from 'tsx/esm/api';

register();
await import('./harness/cli.ts');
