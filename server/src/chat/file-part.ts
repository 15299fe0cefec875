import type { FileForModel } from '../files/file-for-model.ts'
import type { ModelContentPart } from '../models/model-adapter.ts'

/** An uploaded file as a part of a model's message. */
export function toModelPart(file: FileForModel): ModelContentPart {
  switch (file.kind) {
    case 'image':
      return { type: 'image', url: file.url }
    case 'file':
      return { type: 'file', url: file.url, name: file.name, mime: file.mime }
    case 'text':
      return { type: 'text', text: `File ${file.name}:\n\n${file.text}${file.truncated ? '\n\n(the rest of the file is left out)' : ''}` }
  }
}
