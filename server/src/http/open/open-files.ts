import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { StoredFile } from '../../files/file-store.ts'
import { getFile, getLinkedFile, openFile, uploadFile } from '../../files/files.ts'
import type { FileDeps } from '../../files/files.ts'
import type { FileLinks } from '../../files/signed-file-url.ts'
import { sendFile } from '../file-reply.ts'
import { receiveFile } from '../multipart-body.ts'

export type FileServices = FileDeps & { links: FileLinks }

/** Uploads, what is known of a file, and the public links under which its bytes can be read. */
export const fileRoutes =
  (services: FileServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(uploadRoute(services))

    http.route({
      method: ['GET', 'POST'],
      url: '/v1/files/retrieve',
      config: { auth: 'key' },
      schema: { querystring: z.object({ file_id: z.string().regex(/^\d{1,19}$/, 'must be a file id') }) },
      handler: async (request) => {
        const file = await getFile(services, request.principal, request.query.file_id)
        return { code: 0, msg: '', data: toFile(file, services.links), detail: { logid: request.id } }
      },
    })

    // the name is a wildcard because parameters are capped at 100 characters
    http.route({
      method: ['GET', 'HEAD'],
      url: '/files/:file_id/:signature/*',
      config: { auth: 'public' },
      schema: { params: z.object({ file_id: z.string(), signature: z.string(), '*': z.string() }) },
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

    http.post('/v1/files/upload', { config: { auth: 'key' } }, async (request) => {
      const limits = { maxFileBytes: services.limits.maxUploadBytes }
      const file = await receiveFile(request.raw, limits, (upload) => uploadFile(services, request.principal, upload))

      const data = toFile(file, services.links)
      const flat = {
        file_id: data.id,
        file_name: data.file_name,
        file_size: data.bytes,
        file_type: file.mime,
        upload_url: data.url,
        created_at: data.created_at,
      }
      return { code: 0, msg: '', data, ...flat, detail: { logid: request.id } }
    })
  }
}

function toFile(file: StoredFile, links: FileLinks) {
  return {
    id: file.id,
    bytes: file.sizeBytes,
    file_name: file.name,
    created_at: Math.floor(file.createdAt / 1000),
    uri: `files/${file.id}`,
    url: links.urlOf(file),
  }
}
