import type { HttpServer } from '../../src/http/http-server.ts'

/** Every route the server has, such as `GET /v1/bots/:bot_id`, read from the tree that Fastify draws of its routes. */
export function routesOf(http: HttpServer): string[] {
  const parents: string[] = []
  return http
    .printRoutes()
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', path = '', methods] = /^([│ ]*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/u.exec(line) ?? []
      if (path === '') return []
      // preflights of all paths are a node of their own beside the root
      parents.splice(indent.length / 4, Infinity, path === '(empty root node)' ? '' : path)
      const named = methods?.split(', ').filter((method) => method !== 'OPTIONS') ?? []
      return named.map((method) => `${method} ${parents.join('')}`)
    })
}
