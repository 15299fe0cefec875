import type { FastifyRequest } from 'fastify'
import { z } from 'zod'

/** The envelope of every good answer; `flat` are the guide's keys beside `data`. */
export function success<D, F extends object>(request: FastifyRequest, data: D, flat?: F) {
  return { code: 0 as const, msg: '', data, ...flat, detail: { logid: request.id } }
}

/** The same as a schema, for the reference. */
export function successSchema<D extends z.ZodType, F extends z.ZodRawShape>(data: D, flat?: F) {
  return z.object({ code: z.literal(0), msg: z.string(), data, ...flat, detail: z.object({ logid: z.string() }) })
}
