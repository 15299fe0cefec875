import type { Db } from '../../src/db/database.ts'
import { createSnowflake } from '../../src/lib/snowflake.ts'
import { emptyRole } from '../../src/workflows/chatflow-role.ts'
import type { Workflow } from '../../src/workflows/workflow-record.ts'
import { createWorkflow, freezeWorkflow, saveWorkflowDraft } from '../../src/workflows/workflows.ts'
import type { WantedDraft } from '../../src/workflows/workflows.ts'
import { drawCanvas, ref } from './canvas-builder.ts'
import type { CanvasJson } from './canvas-builder.ts'

export const OWNER = { userId: '1' }

export type WorkflowSketch = Partial<Omit<WantedDraft, 'canvas'>> & { id?: string; canvas?: unknown }

/** Workflows of OWNER in a database. */
export function openWorkflowHouse(db: Db) {
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = () => ++time.now
  const deps = { db, clock, nextId: createSnowflake(1, clock) }

  return {
    deps,
    make: (sketch: WorkflowSketch = {}): Promise<Workflow> => createWorkflow(deps, OWNER, { id: sketch.id, ...toDraft(sketch) }),
    save: (workflowId: string, sketch: WorkflowSketch): Promise<Workflow> =>
      saveWorkflowDraft(deps, OWNER, { workflowId, ...toDraft(sketch) }),
    publish: (workflowId: string, version?: string) => freezeWorkflow(deps, OWNER, { workflowId, version }),
  }
}

function toDraft({ id: _fixed, canvas = passOn(), ...rest }: WorkflowSketch): WantedDraft {
  return {
    ...{ name: 'pass on', description: '', iconUrl: '', mode: 'workflow', onCrash: 'resume', role: emptyRole, appId: undefined },
    ...rest,
    canvas: typeof canvas === 'string' ? canvas : JSON.stringify(canvas),
  }
}

/** The least workflow: what comes in as `city` goes out under this name. */
export const passOn = (name = 'city'): CanvasJson =>
  drawCanvas()
    .entry({ city: 'string' })
    .exit({ [name]: ref('entry.city') })
    .edges('entry > exit')
    .build()

/** Answers with a text. */
export const answers = (): CanvasJson =>
  drawCanvas()
    .entry({ city: 'string' })
    .answer('You are in {{city}}', { city: ref('entry.city') })
    .edges('entry > exit')
    .build()

/** Calls another workflow as its only step. */
export const calls = (workflowId: unknown, { version = '', type = 0 }: { version?: string; type?: number } = {}): CanvasJson =>
  drawCanvas()
    .entry({ city: 'string' })
    .node('101', 9, {
      ...{ title: 'call', params: { city: ref('entry.city') }, outputs: { city: 'string' } },
      inputs: { workflowId, workflowVersion: version, spaceId: '1', type },
    })
    .exit({ city: ref('101.city') })
    .edges('entry > 101 > exit')
    .build()

/** Its model may call another workflow. */
export const offers = (workflowId: unknown, version = ''): CanvasJson =>
  drawCanvas()
    .entry({ city: 'string' })
    .node('102', 3, {
      title: 'ask',
      inputs: { llmParam: [], fcParam: { workflowFCParam: { workflowList: [{ workflow_id: workflowId, workflow_version: version }] } } },
      outputs: { output: 'string' },
    })
    .exit({ text: ref('102.output') })
    .edges('entry > 102 > exit')
    .build()
