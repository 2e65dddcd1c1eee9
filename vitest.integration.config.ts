import { defineConfig } from 'vitest/config';

/** What needs more than the tests do: `npm run integration` (docs/ci.md). */
export default defineConfig({
  test: {
    env: { NO_COLOR: '1', FORCE_COLOR: undefined },
    include: ['test/integration/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
