import { isRecord } from '../../lib/json-schema.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { setOwn } from '../engine/collect-inputs.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeResult, NodeRun } from '../engine/node-type.ts'
import { createTextStream } from '../engine/text-stream.ts'
import type { TextStream } from '../engine/text-stream.ts'
import { MAX_CHARS } from '../values/value-size.ts'
import { parseTemplate, renderPart, renderTemplate } from '../values/template.ts'
import type { Template, TemplatePart } from '../values/template.ts'
import type { ValueObject } from '../values/value.ts'

/** A template that is said to the caller: whole, or piece by piece as its inputs are written. */
export type AnswerConfig = {
  template: Template
  /** `streamingOutput`. */
  streamsAnswer: boolean
}

export function parseAnswer({ inputs }: CanvasNode): AnswerConfig {
  const content = isRecord(inputs.content) && isRecord(inputs.content.value) ? inputs.content.value.content : inputs.content
  if (content !== undefined && content !== null && typeof content !== 'string') throw new CanvasProblem('inputs.content', 'must be a text')
  return { template: parseTemplate(content ?? ''), streamsAnswer: inputs.streamingOutput === true }
}

/** The output `output` is the text; said piece by piece it can be read while it is written. */
export async function writeAnswer(run: NodeRun, { template, streamsAnswer }: AnswerConfig): Promise<NodeResult> {
  if (streamsAnswer && run.streaming) {
    const output = createTextStream()
    const finished = writePieces(run, template, output).then((text) => ({ output: text }))
    finished.catch((cause: unknown) => output.fail(cause))
    return { kind: 'streaming', streams: { output }, finished }
  }

  const text = renderTemplate(template, await wholeInputs(run), { isSkipped: run.isSkipped })
  run.say(text, { isLast: true })
  return { kind: 'done', outputs: { output: text } }
}

/** Its inputs, with those texts that are still being written when they are there. */
export async function wholeInputs({ inputs, streams }: NodeRun): Promise<ValueObject> {
  const whole = { ...inputs }
  for (const [name, stream] of Object.entries(streams)) setOwn(whole, name, await stream.text())
  return whole
}

async function writePieces(run: NodeRun, { parts }: Template, output: TextStream): Promise<string> {
  let whole = ''
  // one piece is held back: the last one has to say that it is the last
  let held: string | undefined
  for (const part of parts) {
    for await (const piece of piecesOf(run, part)) {
      if (piece === '') continue
      if (held !== undefined) run.say(held, { isLast: false })
      held = piece
      whole += piece
      if (whole.length > MAX_CHARS) throw new NodeError(nodeErrors.executionFailed, `the text is longer than ${MAX_CHARS} characters`)
      output.push(piece)
    }
  }
  run.say(held ?? '', { isLast: true })
  output.end()
  return whole
}

async function* piecesOf(run: NodeRun, part: TemplatePart): AsyncGenerator<string> {
  const stream =
    part.kind === 'placeholder' && part.path.length === 0 && Object.hasOwn(run.streams, part.root) ? run.streams[part.root] : undefined
  if (stream) yield* stream.pieces()
  else yield renderPart(part, run.inputs, { isSkipped: run.isSkipped })
}
