import { ModelError } from '../../models/model-adapter.ts'
import type { ModelAdapter, ModelChunk, ModelRequest, ModelToolCall } from '../../models/model-adapter.ts'
import { collectToolCalls } from '../../models/tool-calls.ts'
import { createTextBuilder } from '../../lib/text-builder.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeRun } from '../engine/node-type.ts'

/** One question of a node to a model. */
export type ModelQuestion = ModelRequest & {
  model: ModelAdapter
  /** Asks for a stream and gets its pieces as they come. */
  onPiece?: (piece: ModelPiece) => void
}

export type ModelPiece = Exclude<ModelChunk, { type: 'tool_call' }>

export type ModelReply = { text: string; reasoning: string; calls: ModelToolCall[] }

/** Its usage is the node's. Rejects with a NodeError that says what the provider said, or with the signal's reason. */
export async function askModel(run: NodeRun, { model, onPiece, ...request }: ModelQuestion): Promise<ModelReply> {
  const said = { text: createTextBuilder(), reasoning: createTextBuilder() }
  const fragments = collectToolCalls()

  const onChunk = (chunk: ModelChunk): void => {
    if (chunk.type === 'tool_call') return fragments.add(chunk)
    said[chunk.type].add(chunk.text)
    onPiece?.(chunk)
  }
  const endUser = run.services.context.endUser || undefined
  const answer = model.answer({ endUser, ...request }, { signal: run.signal, stream: onPiece !== undefined, onChunk })
  const { usage, finishReason } = await inWordsForBuilders(answer)

  run.addUsage(usage)
  if (finishReason === 'length') run.warn('the answer of the model was cut off: it is longer than its maximum of tokens')
  if (finishReason === 'content_filter') run.warn('the provider of the model cut its answer off, because of its content')
  return { text: said.text.take(), reasoning: said.reasoning.take(), calls: fragments.calls() }
}

export async function getModel(run: NodeRun, modelType: string): Promise<ModelAdapter> {
  return inWordsForBuilders(run.services.getModel(modelType))
}

async function inWordsForBuilders<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (cause instanceof ModelError) throw new NodeError(nodeErrors.executionFailed, cause.message, { cause })
    throw cause
  }
}
