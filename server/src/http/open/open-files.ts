import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { StoredFile } from '../../files/file-store.ts'
import { getFile, getLinkedFile, openFile, uploadFile } from '../../files/files.ts'
import type { FileDeps, Upload } from '../../files/files.ts'
import type { FileLinks } from '../../files/signed-file-url.ts'
import { sendFile } from '../file-reply.ts'
import { toIdempotencyKey } from '../idempotency-key.ts'
import { receiveFile } from '../multipart-body.ts'
import { success, successSchema } from '../success-reply.ts'
import { idField, toSeconds } from './open-fields.ts'

export type FileServices = FileDeps & { links: FileLinks }

const tags = ['Files']

const fileSchema = z.object({
  id: z.string(),
  bytes: z.number(),
  file_name: z.string(),
  created_at: z.number(),
  uri: z.string(),
  url: z.string().describe('Whoever has it can read the file for seven days; ask again for a new one.'),
})

/** The guide's keys, beside `data`. */
const flatSchema = {
  file_id: z.string(),
  file_name: z.string(),
  file_size: z.number(),
  file_type: z.string().describe('By the content of the file.'),
  upload_url: z.string().describe('The same as `data.url`.'),
  created_at: z.number(),
}

const linkSchema = z.object({
  file_id: z.string(),
  signature: z.string(),
  '*': z.string().optional().describe('The name of the file; any will do.'),
})

/** Uploads, what is known of a file, and the public links under which its bytes can be read. */
export const fileRoutes =
  (services: FileServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(uploadRoute(services))

    http.route({
      method: ['GET', 'POST'],
      url: '/v1/files/retrieve',
      config: { auth: 'key', action: 'files' },
      schema: {
        tags,
        summary: 'Read what is known of a file',
        querystring: z.object({ file_id: idField }),
        response: { 200: successSchema(fileSchema) },
      },
      handler: async (request) => {
        const file = await getFile(services, request.principal, request.query.file_id)
        return success(request, toFile(file, services.links))
      },
    })

    // the name is a wildcard because parameters are capped at 100 characters
    http.route({
      method: ['GET', 'HEAD'],
      url: '/v1/files/:file_id/:signature/*',
      config: { auth: 'public' },
      schema: { tags, summary: 'Download a file by its link', params: linkSchema },
      handler: async (request, reply) => {
        const file = await getLinkedFile(services, { fileId: request.params.file_id, signature: request.params.signature })
        return sendFile(request, reply, { file, open: (range) => openFile(services, file, range) })
      },
    })
  }

/** In a scope of its own: here a body is never parsed by what its header says, elsewhere JSON stays JSON. */
function uploadRoute(services: FileServices): FastifyPluginAsyncZod {
  return async (http) => {
    http.removeAllContentTypeParsers()
    http.addContentTypeParser('*', (_request, _body, done) => done(null))

    http.route({
      method: 'POST',
      url: '/v1/files/upload',
      config: { auth: 'key', action: 'files' },
      schema: {
        tags,
        summary: 'Upload a file',
        description: '`Idempotency-Key` makes a retry safe: the same file with the same key answers the file that is there.',
        consumes: ['multipart/form-data'],
        body: z.object({ file: z.file() }),
        response: { 200: successSchema(fileSchema, flatSchema) },
      },
      // the body's schema is for the reference: the body itself is still on its way when the handler begins
      validatorCompiler: () => () => true,
      handler: async (request) => {
        const limits = { maxFileBytes: services.limits.maxUploadBytes }
        const idempotency = toIdempotencyKey(request, {})
        const store = (upload: Upload) => uploadFile(services, request.principal, { ...upload, idempotency })
        const file = await receiveFile(request.raw, limits, store)
        const data = toFile(file, services.links)
        return success(request, data, toFlatKeys(data, file.mime))
      },
    })
  }
}

function toFile(file: StoredFile, links: FileLinks): z.infer<typeof fileSchema> {
  return {
    id: file.id,
    bytes: file.sizeBytes,
    file_name: file.name,
    created_at: toSeconds(file.createdAt),
    uri: `files/${file.id}`,
    url: links.urlOf(file),
  }
}

function toFlatKeys(data: z.infer<typeof fileSchema>, mime: string) {
  const { id, bytes, file_name, created_at, url } = data
  return { file_id: id, file_name, file_size: bytes, file_type: mime, upload_url: url, created_at }
}
