import { buffer } from 'node:stream/consumers'
import { AppError } from '../lib/app-error.ts'
import { isTextMime } from './file-mime.ts'
import type { StoredFile } from './file-store.ts'
import { decodeFileText } from './file-text.ts'
import { getFile, openFile, toSizeText } from './files.ts'
import type { FileDeps, FileOwner } from './files.ts'

/**
 * A file as a model can take it: its bytes come along, because a provider cannot reach a private
 * server. `url` is a data: URL.
 */
export type FileForModel = { name: string; mime: string; sizeBytes: number } & (
  | { kind: 'image'; url: string }
  | { kind: 'file'; url: string }
  /** `truncated`: the file goes on after the text. */
  | { kind: 'text'; text: string; truncated: boolean }
)

export const MAX_MODEL_FILE_BYTES = 8 * 1024 * 1024
export const MAX_MODEL_TEXT_BYTES = 200_000

/** Refuses a picture or document that is larger than a model may be given; a longer text is cut. */
export async function resolveFileForModel(deps: Pick<FileDeps, 'db' | 'objects'>, owner: FileOwner, fileId: string): Promise<FileForModel> {
  const file = await getFile(deps, owner, fileId)
  const { name, mime, sizeBytes } = file

  if (isTextMime(mime)) return { kind: 'text', name, mime, sizeBytes, ...(await readText(deps, file)) }
  if (sizeBytes > MAX_MODEL_FILE_BYTES) {
    throw new AppError(
      'invalid_request',
      `file ${fileId} is larger than ${toSizeText(MAX_MODEL_FILE_BYTES)}, the most that a model can be given`,
    )
  }
  const bytes = await buffer(await openFile(deps, file))
  return {
    kind: mime.startsWith('image/') ? 'image' : 'file',
    name,
    mime,
    sizeBytes,
    url: `data:${mime};base64,${bytes.toString('base64')}`,
  }
}

async function readText(deps: Pick<FileDeps, 'objects'>, file: StoredFile): Promise<{ text: string; truncated: boolean }> {
  const lengthBytes = Math.min(file.sizeBytes, MAX_MODEL_TEXT_BYTES)
  const bytes = await buffer(await openFile(deps, file, { start: 0, end: lengthBytes - 1 }))
  return { text: decodeFileText(bytes), truncated: lengthBytes < file.sizeBytes }
}
