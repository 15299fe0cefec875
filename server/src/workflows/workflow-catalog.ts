import { LRUCache } from 'lru-cache'
import { mayUseWorkflow } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { CanvasProblem } from './canvas/canvas-problem.ts'
import { readCanvas } from './canvas/canvas-text.ts'
import { describeCanvas } from './canvas/describe-canvas.ts'
import type { CanvasDescription } from './canvas/describe-canvas.ts'
import { compileCanvas } from './engine/compile-graph.ts'
import type { NodeTypes } from './engine/compile-graph.ts'
import type { Graph } from './engine/graph.ts'
import type { Workflow, WorkflowDraft, WorkflowVersion } from './workflow-record.ts'
import { findWorkflow, findWorkflowHead, findWorkflowVersionById } from './workflow-store.ts'
import type { WorkflowHead } from './workflow-store.ts'

/** Workflows made ready to run. What was compiled once is used again for as long as it is what is asked for. */
export interface WorkflowCatalog {
  /**
   * `version` is the name of a version, `PUBLISHED` or `DRAFT`. Throws `not_found` for a workflow or version that does not exist or is
   * another user's, `not_published` where nothing is live, and `invalid_request` for a draft that cannot run yet.
   */
  get(who: Principal, workflowId: string, version: string): Promise<RunnableWorkflow>
}

/** The live version. */
export const PUBLISHED = 'published'
/** As canvases call it where they name no version. */
export const DRAFT = ''

export type RunnableWorkflow = Omit<WorkflowDraft, 'canvas'> &
  CanvasDescription & {
    workflowId: string
    appId: string | undefined
    /** Undefined for a draft. */
    versionId: string | undefined
    /** Empty for a draft. */
    version: string
    graph: Graph
  }

type Compiled = Omit<RunnableWorkflow, 'workflowId' | 'appId' | 'versionId'>

/** Of canvases, together. */
const KEPT_CHARS = 50_000_000

export function createWorkflowCatalog({ db, nodeTypes }: { db: Db; nodeTypes: NodeTypes }): WorkflowCatalog {
  const known = new LRUCache<string, Compiled>({ maxSize: KEPT_CHARS })
  const lookups = new Map<string, Promise<Compiled>>()

  async function find(key: string, load: () => Promise<Workflow | WorkflowVersion | undefined>): Promise<Compiled> {
    const hit = known.get(key)
    if (hit) return hit

    // runs that start together compile once
    const lookup = lookups.get(key) ?? compileUnder(key, load).finally(() => lookups.delete(key))
    lookups.set(key, lookup)
    return lookup
  }

  async function compileUnder(key: string, load: () => Promise<Workflow | WorkflowVersion | undefined>): Promise<Compiled> {
    const stored = await load()
    if (!stored) throw new AppError('not_found', 'workflow not found')

    const compiled = compile(stored, nodeTypes)
    known.set(key, compiled, { size: stored.canvas.length })
    return compiled
  }

  return {
    async get(who, workflowId, version) {
      const head = await findHead(db, workflowId, version)
      if (head?.ownerId !== who.userId || !mayUseWorkflow(who, workflowId)) throw new AppError('not_found', 'workflow not found')
      const { appId, versionId, updatedAt } = head
      if (version === DRAFT) {
        // it is another one with every change
        const draft = await find(`${workflowId}/${updatedAt}`, () => findWorkflow(db, workflowId))
        return { ...draft, workflowId, appId, versionId: undefined, version }
      }
      if (versionId === undefined) throw missingVersion(workflowId, version)
      const compiled = await find(versionId, () => findWorkflowVersionById(db, versionId))
      return { ...compiled, workflowId, appId, versionId }
    },
  }
}

async function findHead(db: Db, workflowId: string, version: string): Promise<WorkflowHead | undefined> {
  if (!/^\d{1,19}$/.test(workflowId)) return undefined
  return findWorkflowHead(db, workflowId, version === PUBLISHED ? undefined : version)
}

function missingVersion(workflowId: string, version: string): AppError {
  if (version !== PUBLISHED) return new AppError('not_found', `workflow ${workflowId} has no version ${version.slice(0, 100)}`)
  return new AppError('not_published', `workflow ${workflowId} is not published: publish it, then run it again`)
}

function compile(stored: Workflow | WorkflowVersion, nodeTypes: NodeTypes): Compiled {
  const { name, description, iconUrl, mode, onCrash, role } = stored
  try {
    const canvas = readCanvas(stored.canvas)
    const graph = compileCanvas(canvas, nodeTypes)
    const version = 'version' in stored ? stored.version : DRAFT
    return { name, description, iconUrl, mode, onCrash, role, version, graph, ...describeCanvas(canvas) }
  } catch (cause) {
    if (!(cause instanceof CanvasProblem)) throw cause
    const place = [cause.nodeId && `node ${cause.nodeId}`, cause.path].filter(Boolean).join(', ')
    throw new AppError('invalid_request', `the workflow ${name} cannot run: ${place && `${place}: `}${cause.message}`, { cause })
  }
}
