import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { IssuedToken, TokenRequest } from '../../accounts/publishable-tokens.ts'
import { success, successSchema } from '../success-reply.ts'
import { idField, toSeconds } from './open-fields.ts'

/** Throws `not_found` for a bot that the key may not chat with. */
export type TokenServices = { issueToken(who: Principal, request: TokenRequest): Promise<IssuedToken> }

const MAX_SECONDS = 86_400
const MAX_ORIGINS = 20

const USER_RULE = 'must be a string of 1 to 255 characters'
const ORIGIN_RULE = 'must be the origin of a page, such as https://shop.example'
const ORIGINS_RULE = `must be a list of 1 to ${MAX_ORIGINS} origins such as https://shop.example`
const LIFETIME_RULE = `must be a number of seconds from 1 to ${MAX_SECONDS}`

const bodySchema = z
  .object({
    bot_id: idField,
    user_id: z.string(USER_RULE).min(1, USER_RULE).max(255, USER_RULE),
    origins: z.array(z.string(ORIGIN_RULE).refine(isOrigin, ORIGIN_RULE), ORIGINS_RULE).min(1, ORIGINS_RULE).max(MAX_ORIGINS, ORIGINS_RULE),
    expires_in: z.int(LIFETIME_RULE).min(1, LIFETIME_RULE).max(MAX_SECONDS, LIFETIME_RULE).default(3_600),
  })
  .meta({ examples: [{ bot_id: '123456', user_id: 'user_001', origins: ['https://shop.example'], expires_in: 3_600 }] })

export const tokenRoutes =
  ({ issueToken }: TokenServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/tokens',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags: ['API keys'],
          summary: 'Make a publishable token',
          description:
            'For the page of one end user, which may have it: it chats with one bot, reads the conversations of that end user with it, and works on pages of these origins alone. It ends with its time, or with the key.',
          body: bodySchema,
          response: { 200: successSchema(z.object({ token: z.string(), expires_at: z.number() })) },
        },
      },
      async (request) => {
        const { bot_id: botId, user_id: endUser, origins, expires_in: lifetimeSeconds } = request.body
        const { token, expiresAt } = await issueToken(request.principal, { botId, endUser, origins, lifetimeSeconds })
        return success(request, { token, expires_at: toSeconds(expiresAt) })
      },
    )
  }

/** As browsers write it. */
function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text
}
