import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { StoredVariable } from '../../bots/end-user-variable-store.ts'
import type { VariableHolder } from '../../bots/end-user-variables.ts'
import { AppError } from '../../lib/app-error.ts'
import { success, successSchema } from '../success-reply.ts'
import { optionalIdField, toSeconds } from './open-fields.ts'

export type VariableServices = {
  readVariables(who: Principal, request: VariableHolder & { names: string[] }): Promise<StoredVariable[]>
  writeVariables(who: Principal, request: VariableHolder & { values: Map<string, string> }): Promise<void>
}

const tags = ['Variables']
const UID_RULE = 'must be a string of 1 to 255 characters without blanks around it'
const VALUE_RULE = 'must be a string of at most 10000 characters'

const holderSchema = z.object({
  bot_id: optionalIdField,
  app_id: optionalIdField,
  connector_id: optionalIdField.describe('Not used: an end user has the same values on every connector.'),
  connector_uid: z
    .union([z.string().regex(/^\S(.{0,253}\S)?$/s, UID_RULE), z.number().transform(String)], { error: UID_RULE })
    .describe('The end user: what chats call `user_id`.'),
})

const readQuerySchema = holderSchema.extend({
  keywords: z
    .string()
    .max(20_000, 'must have at most 20000 characters')
    .optional()
    .describe('Names, separated by commas. Without any: all.'),
})

const writeBodySchema = holderSchema
  .extend({
    data: z
      .array(
        z.object({
          keyword: z.string('must be a string').min(1, 'must not be empty'),
          value: z.string(VALUE_RULE).max(10_000, VALUE_RULE),
        }),
        'must be an array of keyword and value',
      )
      .min(1, 'must not be empty')
      .max(100, 'must have at most 100 variables'),
  })
  .meta({ examples: [{ bot_id: '123456', connector_uid: 'user_001', data: [{ keyword: 'city', value: 'Paris' }] }] })

const variableSchema = z.object({ keyword: z.string(), value: z.string(), create_time: z.number(), update_time: z.number() })

/** The values that a bot's or an app's variables have for one end user. Prompts are filled with them. */
export const variableRoutes =
  (services: VariableServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/variables',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: "Read an end user's variables",
          description: 'A variable that was never set has its default, and `create_time` 0.',
          querystring: readQuerySchema,
          response: { 200: successSchema(z.object({ items: z.array(variableSchema) })) },
        },
      },
      async (request) => {
        const names = request.query.keywords?.split(',').flatMap((name) => name.trim() || []) ?? []
        const variables = await services.readVariables(request.principal, { ...toHolder(request.query), names })
        return success(request, { items: variables.map(toVariable) })
      },
    )

    http.put(
      '/v1/variables',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: "Set an end user's variables",
          description: 'All of them or, when one is not declared, none.',
          body: writeBodySchema,
          response: { 200: successSchema(z.object({})) },
        },
      },
      async (request) => {
        const values = new Map(request.body.data.map(({ keyword, value }) => [keyword, value]))
        await services.writeVariables(request.principal, { ...toHolder(request.body), values })
        return success(request, {})
      },
    )
  }

function toHolder({ bot_id: botId, app_id: appId, connector_uid: endUser }: z.infer<typeof holderSchema>): VariableHolder {
  if (botId !== undefined && appId !== undefined) throw new AppError('invalid_request', 'give bot_id or app_id, not both')
  if (botId !== undefined) return { holder: 'bot', holderId: botId, endUser }
  if (appId !== undefined) return { holder: 'app', holderId: appId, endUser }
  throw new AppError('invalid_request', 'bot_id or app_id is required')
}

function toVariable({ name, value, createdAt, updatedAt }: StoredVariable): z.infer<typeof variableSchema> {
  return { keyword: name, value, create_time: toSeconds(createdAt), update_time: toSeconds(updatedAt) }
}
