import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // the variable decides how libraries log and cache: tests see one value, whatever the shell says
    env: { NODE_ENV: 'test' },
    pool: 'forks',
    maxWorkers: 2,
    // many tests watch real processes race on two noisy cores: what is broken fails twice
    retry: process.env.CI ? 1 : 0,
    testTimeout: 20_000,
    // a machine that does other things too is late
    expect: { poll: { timeout: 5_000 } },
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'server',
          include: ['{server,bench,sdk,scripts,eslint}/**/*.test.ts', 'console/e2e/**/*.test.ts'],
          globalSetup: ['./server/test/support/mariadb-global-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'console',
          include: ['console/src/**/*.test.{ts,tsx}'],
          environment: 'jsdom',
          setupFiles: ['./console/test/jsdom-setup.ts'],
        },
      },
    ],
  },
})
