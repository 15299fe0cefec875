import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../lib/app-error.ts'

/**
 * Keeps pages of other sites from acting with the visitor's session cookie (CSRF), on top of
 * SameSite=Lax. Browsers say in Sec-Fetch-Site where a request comes from. Where they do not (a
 * console on plain http), a page's request has an Origin; then the body must be JSON or there must be
 * an X-Console header (uploads), which another site's page may send only after a preflight, and that
 * is never granted with cookies. A request with neither header is no page's. Nothing the console answers is kept in a cache.
 */
export async function guardFromPages(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header('cache-control', 'no-store')
  if (request.method === 'GET' || request.method === 'HEAD') return

  const site = request.headers['sec-fetch-site']
  const isForeign =
    site === undefined ? request.headers.origin !== undefined && !needsPreflight(request) : site !== 'same-origin' && site !== 'none'
  if (isForeign) throw new AppError('forbidden', 'requests from the pages of other sites are not accepted')
}

const needsPreflight = ({ headers }: FastifyRequest) =>
  headers['x-console'] !== undefined || /^application\/json\b/i.test(headers['content-type'] ?? '')
