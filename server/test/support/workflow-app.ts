import { saveModel } from '../../src/models/model-store.ts'
import { chatflowRoleSchema } from '../../src/workflows/chatflow-role.ts'
import type { ChatflowRole } from '../../src/workflows/chatflow-role.ts'
import { nodeTypes } from '../../src/workflows/nodes/node-registry.ts'
import { assertRunnable } from '../../src/workflows/workflow-check.ts'
import { createWorkflow, publishWorkflow, saveWorkflowDraft } from '../../src/workflows/workflows.ts'
import { drawCanvas, input, params, ref } from './canvas-builder.ts'
import type { CanvasJson } from './canvas-builder.ts'
import { openStream } from './live-stream.ts'
import type { LiveStream, StreamOptions } from './live-stream.ts'
import type { Frame } from './sse-frames.ts'
import { PROVIDER_KEY } from './test-app.ts'
import type { Json, TestApp } from './test-app.ts'

export type WorkflowSettings = {
  id?: string
  name?: string
  mode?: 'workflow' | 'chatflow'
  onCrash?: 'resume' | 'fail'
  appId?: string
  role?: ChatflowRole
  /** Whose it is; the first user unless it says otherwise. */
  userId?: string
  /** Name of the version; undefined: the next one. */
  version?: string
  isPublished?: boolean
}

/** Makes a workflow, or changes the draft of the one with this id, and publishes it; answers its id. */
export async function publish(app: TestApp, canvas: CanvasJson, settings: WorkflowSettings = {}): Promise<string> {
  const { id, name = 'test', mode = 'workflow', onCrash = 'resume', appId, userId = app.userId, version, isPublished = true } = settings
  const who = { userId }
  const draft = {
    ...{ name, description: `what ${name} does`, iconUrl: '/icon.png', mode, onCrash, appId },
    ...{ role: settings.role ?? chatflowRoleSchema.parse({}), canvas: JSON.stringify(canvas) },
  }
  const known = id === undefined ? undefined : await app.core.db.selectFrom('workflow').select('id').where('id', '=', id).executeTakeFirst()
  const workflow =
    known && id !== undefined
      ? await saveWorkflowDraft(app.core, who, { workflowId: id, ...draft })
      : await createWorkflow(app.core, who, { id, ...draft })
  const deps = {
    ...app.core,
    assertRunnable: (db: typeof app.core.db, checked: typeof workflow) => assertRunnable({ db, nodeTypes }, checked),
  }
  if (isPublished) await publishWorkflow(deps, who, { workflowId: workflow.id, version })
  return workflow.id
}

/** From now on model nodes ask the app's fake provider. */
export async function useProvider(app: TestApp): Promise<void> {
  await saveModel(app.core, {
    ...{ name: 'default', protocol: 'openai', baseUrl: app.provider.baseUrl, apiKey: PROVIDER_KEY, providerModel: 'fake' },
  })
}

/** Puts its word between brackets, and gives back how often it was told to. */
export const brackets = (): CanvasJson =>
  drawCanvas()
    .entry({ 'word!': 'string', times: 'integer', tags: ['string'] }, { times: '1' })
    .node('101', 15, {
      ...{ title: 'join', params: { String1: ref('entry.word') }, outputs: { output: 'string' } },
      inputs: { method: 'concat', concatParams: params({ concatResult: '<{{String1}}>' }) },
    })
    .exit({ said: ref('101.output'), times: ref('entry.times', 'integer') })
    .edges('entry > 101 > exit')
    .build()

/** Says hello, and then its model's answer piece by piece. */
export const speaking = (): CanvasJson =>
  drawCanvas()
    .entry({ topic: 'string' })
    .node('101', 13, {
      ...{ title: 'hello', params: { topic: ref('entry.topic') }, outputs: { output: 'string' } },
      inputs: { content: input('About {{topic}}: '), streamingOutput: false },
    })
    .node('102', 3, {
      ...{ title: 'model', params: { topic: ref('entry.topic') }, outputs: { output: 'string' } },
      inputs: { llmParam: params({ prompt: '{{topic}}' }) },
    })
    .answer('{{text}}', { text: ref('102.output') }, { streaming: true })
    .edges('entry > 101 > 102 > exit')
    .build()

/** Asks where to and then how far, and repeats both. As a chatflow it begins with what the user says. */
export const asking = (): CanvasJson =>
  drawCanvas()
    .entry({ USER_INPUT: 'string', CONVERSATION_NAME: 'string' })
    .node('101', 18, { ...asks('Where to?'), title: 'place' })
    .node('102', 18, { ...asks('How far?'), title: 'distance' })
    .answer('{{first}}: {{where}}, {{far}}', {
      ...{ first: ref('entry.USER_INPUT'), where: ref('101.USER_RESPONSE'), far: ref('102.USER_RESPONSE') },
    })
    .edges('entry > 101 > 102 > exit')
    .build()

const asks = (question: string) => ({
  params: { about: ref('entry.USER_INPUT') },
  inputs: { question, answer_type: 'text', option_type: 'static', options: [], extra_output: false, limit: 3 },
  outputs: { USER_RESPONSE: 'string' } as const,
})

/** Asks for a form. */
export const filling = (): CanvasJson =>
  drawCanvas()
    .entry({ USER_INPUT: 'string', CONVERSATION_NAME: 'string' })
    .node('101', 30, {
      ...{ title: 'form', outputs: { city: 'string', days: 'integer' } },
      inputs: {
        outputSchema: JSON.stringify([
          { name: 'city', type: 'string', required: true },
          { name: 'days', type: 'integer', required: true },
        ]),
      },
    })
    .exit({ city: ref('101.city'), days: ref('101.days', 'integer') })
    .edges('entry > 101 > exit')
    .build()

/** Reads its text as JSON: fails for what is none. */
export const reading = (): CanvasJson =>
  drawCanvas()
    .entry({ text: 'string' })
    .node('101', 59, { title: 'parse', params: { input: ref('entry.text') }, outputs: { output: 'object' } })
    .exit({ value: ref('101.output', 'object') })
    .edges('entry > 101 > exit')
    .build()

/** Answers with what its model says, and begins with what the user says. */
export const talking = (): CanvasJson =>
  drawCanvas()
    .entry({ USER_INPUT: 'string', CONVERSATION_NAME: 'string', mood: 'string' })
    .node('101', 3, {
      ...{ title: 'model', params: { said: ref('entry.USER_INPUT') }, outputs: { output: 'string' } },
      inputs: { llmParam: params({ prompt: '{{said}}', enableChatHistory: true, chatHistoryRound: 3 }) },
    })
    .answer('{{text}}', { text: ref('101.output') }, { streaming: true })
    .edges('entry > 101 > exit')
    .build()

/** A stream of /v1/workflow/stream_run unless `path` says otherwise. */
export const openRun = (app: Pick<TestApp, 'url' | 'apiKey'>, body: object, options: StreamOptions = {}): Promise<LiveStream> =>
  openStream(app, body, { path: '/v1/workflow/stream_run', ...options })

/** The frames of a whole stream. */
export async function framesOf(app: Pick<TestApp, 'url' | 'apiKey'>, body: object | undefined, options: StreamOptions): Promise<Frame[]> {
  await using stream = await openStream(app, body, options)
  return await stream.ended
}

/** What all messages say together. */
export const messageText = (frames: Frame[]): string =>
  frames
    .filter(({ event }) => event === 'Message')
    .map(({ data }) => data.content as string)
    .join('')

export const lastOf = (frames: Frame[]): Json => frames.at(-1)?.data

/** `execute_id` of a stream, from the address that its last event has. */
export const runIdOf = (frames: Frame[]): string => String(lastOf(frames).debug_url).split('/').at(-1) ?? ''
