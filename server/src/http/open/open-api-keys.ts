import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ApiKeyDeps } from '../../accounts/api-keys.ts'
import {
  changeManagedKey,
  deleteManagedKey,
  getManagedKey,
  listManagedKeys,
  makeKey,
  rotateManagedKey,
} from '../../accounts/managed-keys.ts'
import { toPolicy } from '../key-policy-of-wire.ts'
import { policySchema } from '../console/key-policy-wire.ts'
import { audited } from '../audit-trail.ts'
import { success, successSchema } from '../success-reply.ts'
import { apiKeySchema, toWireKey } from './api-key-wire.ts'
import { idField, pageNumberField, pageSizeField } from './open-fields.ts'

/** Keys made and kept by a key with the action `manage`: for end customers, who each get one of their own. */
export const apiKeyRoutes =
  (services: ApiKeyDeps): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(makingRoutes(services))
    await http.register(readingRoutes(services))
    await http.register(changingRoutes(services))
  }

const tags = ['API keys']
const config = { auth: 'key', action: 'manage' } as const
const URL = '/v1/api_keys'

const SECONDS_RULE = 'must be a time in Unix seconds, 0 for never'
const expiryField = z.int(SECONDS_RULE).min(0, SECONDS_RULE).nullish()
const params = z.object({ key_id: idField })
const secretReply = { 200: successSchema(apiKeySchema.extend({ api_key: z.string().describe('The secret: shown only here.') })) }
const keyReply = { 200: successSchema(apiKeySchema) }

const newKeySchema = z
  .object({ name: z.string('must be a string'), expires_at: expiryField, policy: policySchema.nullish() })
  .meta({ examples: [{ name: 'Customer 42', policy: { actions: ['chat'], bot_ids: ['123456'], requests_per_minute: 60 } }] })

const makingRoutes =
  (services: ApiKeyDeps): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      URL,
      {
        config: audited(config, 'key.create', 'name'),
        schema: {
          tags,
          summary: 'Make an API key',
          description: 'It can do no more than the key that makes it, and lasts no longer. What is not given is what that key has.',
          body: newKeySchema,
          response: secretReply,
        },
      },
      async (request) => {
        const { name, expires_at: expiresAt, policy } = request.body
        const wanted = { name, expiry: toExpiry(expiresAt), policy: policy ? toPolicy(policy) : undefined }
        const { key, secret } = await makeKey(services, request.principal, wanted)
        return success(request, { ...toWireKey(key), api_key: secret })
      },
    )

    http.post(
      `${URL}/:key_id/rotate`,
      {
        config: audited(config, 'key.rotate', 'overlap_seconds'),
        schema: {
          tags,
          summary: 'Give an API key a new secret',
          description: 'The secret of now stays valid for `overlap_seconds`: at once without. Limits and what was used stay.',
          params,
          body: z.object({ overlap_seconds: z.number('must be a number of seconds').nullish() }),
          response: secretReply,
        },
      },
      async (request) => {
        const wanted = { keyId: request.params.key_id, overlapSeconds: request.body.overlap_seconds ?? 0 }
        const { key, secret } = await rotateManagedKey(services, request.principal, wanted)
        return success(request, { ...toWireKey(key), api_key: secret })
      },
    )
  }

const readingRoutes =
  (services: ApiKeyDeps): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      URL,
      {
        config,
        schema: {
          tags,
          summary: 'List API keys, newest first',
          description: 'Of a key without limits all of its owner’s; of any other those that it has made.',
          querystring: z.object({ page_num: pageNumberField, page_size: pageSizeField(100, 20) }),
          response: { 200: successSchema(z.object({ items: z.array(apiKeySchema), total: z.number(), has_more: z.boolean() })) },
        },
      },
      async (request) => {
        const { page_num: page, page_size: size } = request.query
        const { keys, total, hasMore } = await listManagedKeys(services, request.principal, { page, size })
        return success(request, { items: keys.map(toWireKey), total, has_more: hasMore })
      },
    )

    http.get(`${URL}/:key_id`, { config, schema: { tags, summary: 'Read an API key', params, response: keyReply } }, async (request) =>
      success(request, toWireKey(await getManagedKey(services, request.principal, request.params.key_id))),
    )
  }

const changeSchema = z.object({
  name: z.string('must be a string').nullish(),
  expires_at: expiryField,
  policy: policySchema.nullish().describe('In the place of the one before, as a whole. null: as little limited as the key that asks.'),
  disabled: z.boolean('must be true or false').nullish(),
})

const changingRoutes =
  (services: ApiKeyDeps): FastifyPluginAsyncZod =>
  async (http) => {
    http.patch(
      `${URL}/:key_id`,
      {
        config: audited(config, 'key.update', 'name', 'disabled'),
        schema: { tags, summary: 'Change, disable or enable an API key', params, body: changeSchema, response: keyReply },
      },
      async (request) => {
        const { name, expires_at: expiresAt, policy, disabled } = request.body
        const change = {
          ...{ keyId: request.params.key_id, name: name ?? undefined, expiry: toExpiry(expiresAt), disabled: disabled ?? undefined },
          policy: policy ? toPolicy(policy) : policy,
        }
        return success(request, toWireKey(await changeManagedKey(services, request.principal, change)))
      },
    )

    http.delete(
      `${URL}/:key_id`,
      {
        config: audited(config, 'key.delete'),
        schema: { tags, summary: 'Delete an API key, for good', params, response: { 200: successSchema(z.object({})) } },
      },
      async (request) => {
        await deleteManagedKey(services, request.principal, request.params.key_id)
        return success(request, {})
      },
    )
  }

function toExpiry(expiresAt: number | null | undefined) {
  if (expiresAt === undefined || expiresAt === null) return {}
  return expiresAt === 0 ? { expire: 0 } : { expireAt: expiresAt }
}
