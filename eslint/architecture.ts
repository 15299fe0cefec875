/**
 * Which file may import which: the layers, and the one home of each package that must not spread. `eslint.config.js` enforces both
 * with the two rules beside this file. A new folder or package of that kind is a line here, and a decision.
 */

/** Top to bottom. A file imports its own layer and the ones below; layers of one line do not know each other. */
export const layers = [
  ['cli'],
  ['app'],
  ['app-services'],
  ['app-house'],
  ['core'],
  ['config', 'version'],
  ['http'],
  ['chat'],
  ['workflows'],
  ['tools'],
  ['bots'],
  ['conversations'],
  ['models', 'accounts', 'files', 'usage', 'webhooks', 'audit'],
  ['journal'],
  ['cluster', 'db'],
  ['lib'],
]

/** Of `console/src`, likewise. Features do not import each other: a page in `app` puts them together. */
export const consoleLayers = [['main'], ['app'], ['features'], ['ui'], ['lib']]

/** `packages` end in `/` for a whole scope; `homes` are globs below `server/src`. */
export const packageHomes = [
  { packages: ['kysely'], homes: ['**/*-store.ts', 'journal/**', 'db/**', 'accounts/**'] },
  { packages: ['better-sqlite3', 'mysql2'], homes: ['db/**'] },
  { packages: ['better-auth'], homes: ['accounts/**'] },
  { packages: ['fastify', 'fastify-type-provider-zod', '@fastify/', '@scalar/'], homes: ['http/**'] },
  { packages: ['ioredis', 'bullmq'], homes: ['cluster/**'] },
  { packages: ['@aws-sdk/'], homes: ['files/**'] },
  { packages: ['undici'], homes: ['models/**', 'lib/guarded-fetch.ts'] },
  // what can open a connection past the guarded fetch
  { packages: ['node:http', 'node:https', 'node:http2'], homes: ['app.ts', 'http/**', 'models/**'] },
  {
    packages: ['node:net', 'node:tls', 'node:dgram', 'node:dns'],
    homes: ['lib/{guarded-fetch,address-rules,cidr}.ts', 'http/broken-request.ts', 'http/listen.ts', 'cli/doctor-command.ts'],
  },
  { packages: ['ai', '@ai-sdk/'], homes: ['models/**'] },
  { packages: ['standardwebhooks'], homes: ['webhooks/**'] },
  { packages: ['@modelcontextprotocol/'], homes: ['tools/**', 'http/**'] },
  { packages: ['quickjs-emscripten'], homes: ['workflows/code/**'] },
  { packages: ['commander'], homes: ['cli.ts', 'cli/**'] },
  { packages: ['node:process'], homes: ['config.ts'] },
]
