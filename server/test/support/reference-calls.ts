import { knownBodies } from './settled-user.ts'
import type { Ids } from './settled-user.ts'
import type { Json, Reply, TestApp } from './test-app.ts'

/** A call of a route of the served OpenAPI document, with ids of what a settled user has. */
export type Call = { method: string; path: string; isSession: boolean; query: Ids; body: Json }

/** Values of required parameters that are no ids of anything. */
const PLAIN: Ids = { connector_uid: 'u1', signature: 'x', '*': 'x' }

/** Routes on which nothing of another user can be named. */
const OWN_ONLY =
  /console\/|create_personal|list_personal|\/files\/upload|\/bot\/create|\/users\/me|\/v1\/usage|\/v1\/api_keys$|GET \/v1\/(workspaces|models)$|POST \/mcp/

/** Every route on which something can be named, and once more with each id that may be left out. */
export async function callsOf(app: TestApp, ids: Ids): Promise<Call[]> {
  const { paths } = (await app.call('GET', '/openapi.json')).body
  const bodies = knownBodies(ids)
  return Object.entries<Json>(paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).flatMap(([lower, operation]) => {
      const method = lower.toUpperCase()
      const route = `${method} ${path}`
      if (OWN_ONLY.test(route)) return []
      const known = path.endsWith('submit_tool_outputs')
        ? { ...ids, chat_id: ids['waiting'], conversation_id: ids['waiting_conversation'] }
        : ids
      return toCalls({ route, method, path, operation }, known as Ids, bodies)
    }),
  )
}

type Route = { route: string; method: string; path: string; operation: Json }

/** One call with what the route needs, and one more for each optional id of it. */
function toCalls({ route, method, path, operation }: Route, ids: Ids, bodies: Record<string, Json>): Call[] {
  const valueOf = (name: string) => PLAIN[name] ?? ids[name] ?? fail(`${route}: what is ${name}?`)
  const parameters: Json[] = operation.parameters ?? []
  const filled = parameters
    .filter((each) => each.in === 'path')
    .reduce<string>((text, { name }) => text.replace(`{${name}}`, valueOf(name)), path)
  const inQuery = parameters.filter((each) => each.in === 'query')
  const query = Object.fromEntries(inQuery.filter((each) => each.required).map(({ name }) => [name, valueOf(name)]))
  const schema = operation.requestBody?.content?.['application/json']?.schema
  const required: string[] = schema?.required ?? []
  const body = schema && (bodies[route] ?? Object.fromEntries(required.map((name) => [name, valueOf(name)])))

  const call = { method, path: filled, isSession: Boolean(operation.security?.[0]?.session), query, body }
  const more = inQuery.filter((each) => !each.required && ids[each.name] !== undefined && route !== 'POST /v3/chat')
  return [...(needsMore(route) ? [] : [call]), ...more.map(({ name }) => ({ ...call, query: { ...query, [name]: ids[name] ?? '' } }))]
}

/** Without the optional id these say what is the caller's own, or refuse. */
const needsMore = (route: string) => /GET \/v1\/(bots|apps|space\/published_bots_list|variables)$/.test(route)

function fail(message: string): never {
  throw new Error(message)
}

export const nameOf = ({ method, path, query }: Call) => `${method} ${path}?${new URLSearchParams(query).toString()}`

export function send(
  app: TestApp,
  { method, path, query, body, isSession }: Call,
  { apiKey, cookie }: { apiKey: string; cookie: string },
): Promise<Reply> {
  const url = `${path}?${new URLSearchParams(query).toString()}`
  return app.call(method, url, body, isSession ? { apiKey: '', headers: { cookie } } : { apiKey })
}

/** What takes something away comes last. */
export const harm = ({ method, path }: Call): number =>
  Number(/\/(delete|clear|unpublish)/.test(path) || method === 'DELETE') +
  Number(/unpublish|v1\/conversations\/\d+$/.test(path) && method !== 'GET' && method !== 'PUT')
