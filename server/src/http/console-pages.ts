import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import serveStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

export type ConsolePages = {
  /** Registers the start page and the files that it loads. */
  register(http: FastifyInstance): Promise<void>
  /** Whether a request that no route takes is a person who opens an address of the console. */
  isPage(request: FastifyRequest): boolean
  sendPage(reply: FastifyReply): Promise<FastifyReply>
}

export type ConsolePagesOptions = { consoleDir: string; publicUrl: string }

/** Where `scripts/build-console.ts` puts the console. */
export const builtConsoleDir = join(import.meta.dirname, '..', '..', '..', 'console', 'dist')

/** The built web console; nothing when it has not been built. */
export function createConsolePages({ consoleDir, publicUrl }: ConsolePagesOptions): ConsolePages | undefined {
  const indexFile = join(consoleDir, 'index.html')
  if (!existsSync(indexFile)) return undefined

  const ownSegments = new Set<string>()
  const imageOrigin = new URL(publicUrl).origin

  async function sendPage(reply: FastifyReply): Promise<FastifyReply> {
    const nonce = randomBytes(18).toString('base64url')
    // read each time: the console may be built again while the server runs
    const html = await readFile(indexFile, 'utf8')
    return reply
      .code(200)
      .headers({ ...PAGE_HEADERS, 'content-security-policy': securityPolicy(nonce, imageOrigin) })
      .type('text/html; charset=utf-8')
      .send(html.replaceAll('__CSP_NONCE__', nonce))
  }

  return {
    sendPage,
    isPage: ({ method, url, headers }) =>
      (method === 'GET' || method === 'HEAD') && /\btext\/html\b/.test(headers.accept ?? '') && !ownSegments.has(firstSegment(url)),
    async register(http) {
      // what begins like a route of the server is not a page: its callers want to be told that it is not there
      http.addHook('onRoute', ({ url }) => void ownSegments.add(firstSegment(url)))
      await http.register(serveStatic, { root: consoleDir, serve: false, index: false, preCompressed: true })

      const open = { config: { auth: 'public' }, schema: { hide: true } } as const
      http.get('/', open, (_request, reply) => sendPage(reply))
      http.get('/favicon.svg', open, (_request, reply) => reply.sendFile('favicon.svg', { maxAge: DAY_MS }))
      http.get<{ Params: { '*': string } }>('/assets/*', open, (request, reply) => {
        const name = request.params['*']
        if (!ASSET_NAME.test(name)) return reply.callNotFound()
        // their names change with their contents
        return reply.header('x-content-type-options', 'nosniff').sendFile(`assets/${name}`, { maxAge: YEAR_MS, immutable: true })
      })
    },
  }
}

const ASSET_NAME = /^[\w-][\w.-]*$/
const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS

const PAGE_HEADERS = {
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
}

/** Scripts come from here only; style elements need the nonce of this answer. Pictures that the server hands out name its public address. */
function securityPolicy(nonce: string, imageOrigin: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    `img-src 'self' data: blob: ${imageOrigin}`,
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

const firstSegment = (url: string) => url.split(/[?#]/, 1)[0]?.split('/')[1] ?? ''
