import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // What the commands print is compared as text: no colours, also where the CI asks for them (CI, FORCE_COLOR).
    env: { NO_COLOR: '1', FORCE_COLOR: undefined },
    // Boots use every core by themselves, and builds share one cache: the files that boot run one after the other, last.
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/boot/**', 'test/integration/**'],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'boot',
          include: ['test/boot/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 1_800_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
