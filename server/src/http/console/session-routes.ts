import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ConsoleSessions } from '../../accounts/console-sessions.ts'
import { success, successSchema } from '../success-reply.ts'

export type SessionServices = ConsoleSessions

/** Signing in and out of the console. A session is an HttpOnly cookie named `session_key`. */
export const sessionRoutes =
  (sessions: SessionServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/api/console/sign-in',
      { config: { auth: 'public' }, schema: { tags, summary: 'Sign in', body: credentials, response: { 200: userReply } } },
      async (request, reply) => {
        const { user, setCookie } = await sessions.signIn(request.body, browserOf(request))
        return withCookie(reply, setCookie, success(request, user))
      },
    )

    http.post(
      '/api/console/sign-up',
      {
        config: { auth: 'public' },
        schema: { tags, summary: 'Sign up, where the operator allows it', body: newUser, response: { 200: userReply } },
      },
      async (request, reply) => {
        const { user, setCookie } = await sessions.signUp(request.body, browserOf(request))
        return withCookie(reply, setCookie, success(request, user))
      },
    )

    http.post(
      '/api/console/sign-out',
      { config: { auth: 'session' }, schema: { tags, summary: 'Sign out', response: { 200: emptyReply } } },
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
        config: { auth: 'session' },
        schema: { tags, summary: 'Change the password; ends all other sessions', body: passwordChange, response: { 200: emptyReply } },
      },
      async (request, reply) => {
        const change = { currentPassword: request.body.current_password, newPassword: request.body.new_password }
        const { setCookie } = await sessions.changePassword(request.headers.cookie, change, browserOf(request))
        return withCookie(reply, setCookie, success(request, {}))
      },
    )
  }

const tags = ['Console']

// long enough for every real one, short enough to be no work
const emailField = z.string().trim().min(1, 'must be an e-mail address').max(255, 'must have at most 255 characters')
const passwordField = z.string().min(1, 'must not be empty').max(1000, 'must have at most 1000 characters')

const credentials = z.object({ email: emailField, password: passwordField })
const newUser = credentials.extend({ name: z.string().max(255, 'must have at most 255 characters').optional() })
const passwordChange = z.object({ current_password: passwordField, new_password: passwordField })

const userReply = successSchema(z.object({ id: z.string(), email: z.string(), name: z.string(), role: z.enum(['admin', 'user']) }))
const emptyReply = successSchema(z.object({}))

function browserOf(request: FastifyRequest) {
  return { address: request.ip, userAgent: request.headers['user-agent']?.slice(0, 500) }
}

function withCookie<T>(reply: FastifyReply, setCookie: string[], body: T): T {
  if (setCookie.length > 0) reply.header('set-cookie', setCookie)
  return body
}
