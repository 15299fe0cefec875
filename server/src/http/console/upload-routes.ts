import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { StoredFile } from '../../files/file-store.ts'
import { fileTooLarge, uploadFile } from '../../files/files.ts'
import type { FileDeps } from '../../files/files.ts'
import type { FileLinks } from '../../files/signed-file-url.ts'
import { UPLOAD_IDLE_MS } from '../multipart-body.ts'
import { success } from '../success-reply.ts'
import { uploadQuery } from './agent-wire.ts'
import type { Uploaded } from './agent-wire.ts'

export type UploadServices = FileDeps & { links: FileLinks }

/** Files from the console's pages: the body is the file. In a scope of its own, where no body is parsed by what its header says. */
export const uploadRoutes =
  (services: UploadServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.removeAllContentTypeParsers()
    http.addContentTypeParser('*', (_request, _body, done) => done(null))

    http.post(
      '/api/console/files',
      { config: { auth: 'session', audit: 'none' }, schema: { querystring: uploadQuery } },
      async (request) => {
        const { maxUploadBytes } = services.limits
        if (Number(request.headers['content-length'] ?? 0) > maxUploadBytes) throw fileTooLarge(maxUploadBytes)
        request.raw.setTimeout(UPLOAD_IDLE_MS, () => request.raw.destroy())
        const file = await uploadFile(services, request.principal, { name: request.query.name, stream: request.raw })
        return success(request, toUploaded(file, services.links))
      },
    )
  }

function toUploaded(file: StoredFile, links: FileLinks): Uploaded {
  const { id, name, sizeBytes, mime } = file
  const iconPath = mime.startsWith('image/') ? links.lastingPathOf({ id, name: 'icon' }) : null
  return { id, name, size_bytes: sizeBytes, mime, url: links.urlOf(file), icon_path: iconPath }
}
