import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ApiKeyDeps } from '../../accounts/api-keys.ts'
import { createKey, deleteKey, getKey, listKeys, updateKey } from '../../accounts/api-keys.ts'
import { rotateKey } from '../../accounts/rotate-key.ts'
import { audited } from '../audit-trail.ts'
import { idField, pageNumberField, pageSizeField } from '../open/open-fields.ts'
import { success, successSchema } from '../success-reply.ts'
import { toPolicy } from '../key-policy-of-wire.ts'
import { policySchema } from './key-policy-wire.ts'
import { flatKeySchema, listedTokenSchema, toFlatKey, toListedToken, toMaskedKey, toToken, tokenSchema } from './pat-wire.ts'

export type PatServices = ApiKeyDeps

/** API keys ("personal access tokens"), in the guide's flat bodies and in Coze's envelope at once. */
export const patRoutes =
  (services: PatServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(creatingRoute(services))
    await http.register(readingRoutes(services))
    await http.register(changingRoutes(services))
  }

const creatingRoute =
  (services: PatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      `${PREFIX}/create_personal_access_token_and_permission`,
      {
        config: audited({ auth: 'session' }, 'key.create', 'name'),
        schema: { tags, summary: 'Create an API key', body: newKey, response: { 200: createdReply } },
      },
      async (request) => {
        const { name, policy, ...expiry } = request.body
        const wanted = { name, expiry: toExpiry(expiry), policy: policy ? toPolicy(policy) : undefined }
        const { key, secret } = await createKey(services, request.principal, wanted)
        // a creation says 0, not -1, for what has not happened
        const token = { ...toToken(key), updated_at: 0, last_used_at: 0 }
        return success(request, { personal_access_token: token, token: secret }, toFlatKey(key, secret))
      },
    )
  }

const readingRoutes =
  (services: PatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      `${PREFIX}/list_personal_access_tokens`,
      {
        config: { auth: 'session' },
        schema: { tags, summary: 'List your API keys, newest first', querystring: pageQuery, response: { 200: listReply } },
      },
      async (request) => {
        const { keys, hasMore, total } = await listKeys(services, request.principal, request.query)
        const flat = { api_keys: keys.map((key) => toFlatKey(key, toMaskedKey(key))), has_more: hasMore, total }
        return success(request, { personal_access_tokens: keys.map(toListedToken), has_more: hasMore }, flat)
      },
    )

    http.get(
      `${PREFIX}/get_personal_access_token_and_permission`,
      { config: { auth: 'session' }, schema: { tags, summary: 'Read an API key', querystring: keyId, response: { 200: keyReply } } },
      async (request) => {
        const key = await getKey(services, request.principal, request.query.id)
        return success(request, { personal_access_token: toToken(key) }, toFlatKey(key, toMaskedKey(key)))
      },
    )
  }

const changingRoutes =
  (services: PatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      `${PREFIX}/update_personal_access_token_and_permission`,
      {
        config: audited({ auth: 'session' }, 'key.update', 'name', 'disabled'),
        schema: {
          tags,
          summary: 'Rename an API key, or change when it expires and what it may do',
          body: keyChange,
          response: { 200: emptyReply },
        },
      },
      async (request) => {
        const { id, name, policy, disabled, ...expiry } = request.body
        await updateKey(services, request.principal, {
          ...{ keyId: id, name: name ?? undefined, expiry: toExpiry(expiry), disabled: disabled ?? undefined },
          policy: policy ? toPolicy(policy) : policy,
        })
        return success(request, {})
      },
    )

    http.post(
      `${PREFIX}/rotate_personal_access_token`,
      {
        config: audited({ auth: 'session' }, 'key.rotate', 'overlap_seconds'),
        schema: {
          tags,
          summary: 'Give an API key a new secret',
          description: 'The secret of now stays valid for `overlap_seconds`. The new one is shown only here.',
          body: rotation,
          response: { 200: createdReply },
        },
      },
      async (request) => {
        const { id, overlap_seconds: overlapSeconds } = request.body
        const { key, secret } = await rotateKey(services, request.principal, { keyId: id, overlapSeconds })
        return success(request, { personal_access_token: toToken(key), token: secret }, toFlatKey(key, secret))
      },
    )

    http.post(
      `${PREFIX}/delete_personal_access_token_and_permission`,
      {
        config: audited({ auth: 'session' }, 'key.delete'),
        schema: { tags, summary: 'Delete an API key, for good', body: keyId, response: { 200: emptyReply } },
      },
      async (request) => {
        await deleteKey(services, request.principal, request.body.id)
        return success(request, {})
      },
    )
  }

const PREFIX = '/api/permission_api/pat'
const tags = ['API keys']

const NUMBER_RULE = 'must be a number'
const numberField = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^-?\d+$/)
        .transform(Number),
    ],
    { error: NUMBER_RULE },
  )
  .nullish()

const expiryFields = {
  /** The guide's: 0 is never, small numbers are a duration in ms, large ones a timestamp in ms. */
  expire: numberField,
  /** Coze's. */
  duration_day: z.union([z.number(), z.string()], { error: 'must be a number of days, "permanent" or "customize"' }).nullish(),
  expire_at: numberField,
}

/** Null: nothing is limited. A policy that is given replaces the one before as a whole. */
const policyField = policySchema.nullish()

const newKey = z.object({ name: z.string(), ...expiryFields, policy: policyField })
const keyId = z.object({ id: idField })
const keyChange = z.object({
  ...{ id: idField, name: z.string().nullish(), ...expiryFields, policy: policyField },
  disabled: z.boolean('must be true or false').nullish(),
})
const rotation = z.object({ id: idField, overlap_seconds: z.number('must be a number of seconds').default(0) })
const pageQuery = z.object({ page: pageNumberField, size: pageSizeField(100).default(10) })

const flatFields = flatKeySchema.shape
const createdReply = successSchema(z.object({ personal_access_token: tokenSchema, token: z.string() }), flatFields)
const keyReply = successSchema(z.object({ personal_access_token: tokenSchema }), flatFields)
const listReply = successSchema(z.object({ personal_access_tokens: z.array(listedTokenSchema), has_more: z.boolean() }), {
  api_keys: z.array(flatKeySchema),
  has_more: z.boolean(),
  total: z.number(),
})
const emptyReply = successSchema(z.object({}))

type WireExpiry = { expire?: number | null; duration_day?: number | string | null; expire_at?: number | null }

function toExpiry({ expire, duration_day, expire_at }: WireExpiry) {
  return { expire: expire ?? undefined, durationDay: duration_day ?? undefined, expireAt: expire_at ?? undefined }
}
