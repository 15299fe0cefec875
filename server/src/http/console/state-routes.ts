import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { AppError } from '../../lib/app-error.ts'
import type { ConsoleSessions } from '../../accounts/console-sessions.ts'
import { audited } from '../audit-trail.ts'
import { success, successSchema } from '../success-reply.ts'
import { browserOf, withCookie } from './session-cookie.ts'
import { consoleStateSchema, consoleUserSchema, newUserSchema } from './session-wire.ts'
import type { ConsoleUserWire, NewUserWire } from './session-wire.ts'

export type StateServices = {
  sessions: Pick<ConsoleSessions, 'signIn' | 'currentUser'>
  hasUsers(): Promise<boolean>
  /** Throws `conflict` when there is a user already. */
  createFirstAdmin(request: NewUserWire): Promise<unknown>
  maySignUp: boolean
  version: string
  publicUrl: string
}

/** What the console asks first: is there anybody, and who is it. */
export const stateRoutes =
  (services: StateServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/api/console/state',
      {
        config: { auth: 'public' },
        schema: {
          tags,
          summary: 'What the console needs to begin; prolongs the session',
          response: { 200: successSchema(consoleStateSchema) },
        },
      },
      async (request, reply) => {
        const [hasUsers, { user, setCookie }] = await Promise.all([
          services.hasUsers(),
          findCurrentUser(services.sessions, request.headers.cookie),
        ])
        const state = {
          has_users: hasUsers,
          user,
          may_sign_up: services.maySignUp,
          version: services.version,
          base_url: services.publicUrl,
        }
        return withCookie(reply, setCookie, success(request, state))
      },
    )

    http.post(
      '/api/console/set-up',
      {
        config: audited({ auth: 'public' }, 'user.set_up', 'email'),
        schema: {
          tags,
          summary: 'Make the first administrator; only while there is no user',
          body: newUserSchema,
          response: { 200: successSchema(consoleUserSchema) },
        },
      },
      async (request, reply) => {
        await services.createFirstAdmin(request.body)
        const { user, setCookie } = await services.sessions.signIn(request.body, browserOf(request))
        return withCookie(reply, setCookie, success(request, user))
      },
    )
  }

const tags = ['Console']

/** Nobody is an answer here, not an error. */
async function findCurrentUser(
  sessions: StateServices['sessions'],
  cookie: string | undefined,
): Promise<{ user: ConsoleUserWire | null; setCookie: string[] }> {
  try {
    return await sessions.currentUser(cookie)
  } catch (cause) {
    if (cause instanceof AppError && cause.code === 'unauthenticated') return { user: null, setCookie: [] }
    throw cause
  }
}
