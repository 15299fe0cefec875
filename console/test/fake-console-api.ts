import { onTestFinished } from 'vitest'

export type FakeReply = { status?: number; data?: unknown; msg?: string; headers?: Record<string, string> }
export type FakeRequest = { method: string; path: string; query: URLSearchParams; body: unknown }

/**
 * The edge of the page: what `fetch` gets. `routes` are `METHOD /path` without its query; the answer's `data` is put into the envelope. An
 * unknown route is a 404. Ends with the test.
 */
export function fakeConsoleApi(routes: Record<string, FakeReply | ((request: FakeRequest) => FakeReply | Promise<FakeReply>)>) {
  const requests: FakeRequest[] = []
  const real = globalThis.fetch
  onTestFinished(() => void (globalThis.fetch = real))

  globalThis.fetch = async (input, init) => {
    const request = parseRequest(input, init)
    requests.push(request)

    const route = routes[`${request.method} ${request.path}`] ?? { status: 404, msg: `not found: ${request.path}` }
    return toResponse(typeof route === 'function' ? await route(request) : route)
  }
  return { requests }
}

function parseRequest(input: string | URL | Request, { method = 'GET', body }: RequestInit = {}): FakeRequest {
  const url = new URL(input instanceof Request ? input.url : input, 'http://console.test')
  return { method, path: url.pathname, query: url.searchParams, body: typeof body === 'string' ? JSON.parse(body) : body }
}

function toResponse({ status = 200, data = {}, msg = '', headers }: FakeReply): Response {
  return Response.json(status < 400 ? { code: 0, msg, data } : { code: status, msg }, { status, headers })
}
