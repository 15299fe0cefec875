import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'

export type ReferenceOptions = { publicUrl: string; version: string }

/** `/openapi.json`, made from the schemas of the routes, and `/docs`, a page to read and try them. Register it before the routes. */
export async function serveReference(http: FastifyInstance, { publicUrl, version }: ReferenceOptions): Promise<void> {
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Coze Plus Open API', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `pat_…`' },
          session: { type: 'apiKey', in: 'cookie', name: 'session_key', description: 'The console session' },
        },
      },
    },
    transform: (route) => {
      const transformed = jsonSchemaTransform(route)
      const security = securityOf(route.route.config ?? {})
      return { ...transformed, schema: { ...transformed.schema, security } }
    },
  })

  const open = { config: { auth: 'public' }, schema: { hide: true } } as const
  http.get('/openapi.json', open, async () => ({ ...http.swagger(), servers: [{ url: publicUrl }] }))

  const page = createReferencePage()
  for (const url of ['/docs', '/docs/*']) {
    http.get(url, open, async (request, reply) => {
      const app = await page()
      reply.hijack()
      app.routing(request.raw, reply.raw)
    })
  }
}

/** The actions of which a key needs one stand where the document has the roles of a scheme. */
function securityOf({ auth, action = 'any' }: FastifyContextConfig) {
  if (auth === 'session' || auth === 'admin') return [{ session: [] }]
  if (auth !== 'key') return []
  return action === 'any' ? [{ apiKey: [] }] : [action].flat().map((each) => ({ apiKey: [each] }))
}

const DESCRIPTION =
  'Publish AI agents and workflows as an API service. Every answer has `code` (0 when all is well), `msg`, `data` and `detail.logid`; an error has the HTTP status that fits, and says in `message` what is wrong.'

/** The page's bundle is 5 MB in memory: it is loaded when somebody first opens the page, as an app of its own. */
function createReferencePage(): () => Promise<FastifyInstance> {
  let app: Promise<FastifyInstance> | undefined
  return () => (app ??= loadReferencePage())
}

async function loadReferencePage(): Promise<FastifyInstance> {
  const { default: apiReference } = await import('@scalar/fastify-api-reference')
  const app = Fastify({ logger: false })
  await app.register(apiReference, {
    routePrefix: '/docs',
    configuration: { url: '/openapi.json', pageTitle: 'Coze Plus API', withDefaultFonts: false, telemetry: false },
  })
  await app.ready()
  return app
}
