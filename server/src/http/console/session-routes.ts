import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ConsoleSessions } from '../../accounts/console-sessions.ts'
import { audited } from '../audit-trail.ts'
import { success, successSchema } from '../success-reply.ts'
import { browserOf, withCookie } from './session-cookie.ts'
import { consoleUserSchema, credentialsSchema, newUserSchema, passwordChangeSchema } from './session-wire.ts'

export type SessionServices = ConsoleSessions

/** Signing in and out of the console. A session is an HttpOnly cookie named `session_key`. */
export const sessionRoutes =
  (sessions: SessionServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/api/console/sign-in',
      { config: signingIn, schema: { tags, summary: 'Sign in', body: credentialsSchema, response: { 200: userReply } } },
      async (request, reply) => {
        const { user, setCookie } = await sessions.signIn(request.body, browserOf(request))
        return withCookie(reply, setCookie, success(request, user))
      },
    )

    http.post(
      '/api/console/sign-up',
      {
        config: audited({ auth: 'public' }, 'user.sign_up', 'email'),
        schema: { tags, summary: 'Sign up, where the operator allows it', body: newUserSchema, response: { 200: userReply } },
      },
      async (request, reply) => {
        const { user, setCookie } = await sessions.signUp(request.body, browserOf(request))
        return withCookie(reply, setCookie, success(request, user))
      },
    )

    http.post(
      '/api/console/sign-out',
      { config: audited({ auth: 'session' }, 'user.sign_out'), schema: { tags, summary: 'Sign out', response: { 200: emptyReply } } },
      async (request, reply) => {
        const { setCookie } = await sessions.signOut(request.headers.cookie)
        return withCookie(reply, setCookie, success(request, {}))
      },
    )

    http.get(
      '/api/console/me',
      { config: { auth: 'session' }, schema: { tags, summary: 'Who is signed in; prolongs the session', response: { 200: userReply } } },
      async (request, reply) => {
        const { user, setCookie } = await sessions.currentUser(request.headers.cookie)
        return withCookie(reply, setCookie, success(request, user))
      },
    )

    http.post(
      '/api/console/change-password',
      {
        config: audited({ auth: 'session' }, 'user.change_password'),
        schema: {
          tags,
          summary: 'Change the password; ends all other sessions',
          body: passwordChangeSchema,
          response: { 200: emptyReply },
        },
      },
      async (request, reply) => {
        const change = { currentPassword: request.body.current_password, newPassword: request.body.new_password }
        const { setCookie } = await sessions.changePassword(request.headers.cookie, change, browserOf(request))
        return withCookie(reply, setCookie, success(request, {}))
      },
    )
  }

const tags = ['Console']
const signingIn = { auth: 'public', audit: { action: 'user.sign_in', fields: ['email'], refused: 'user.sign_in_failed' } } as const

const userReply = successSchema(consoleUserSchema)
const emptyReply = successSchema(z.object({}))
