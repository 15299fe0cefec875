import type { OnCrash, WorkflowMode } from '../db/tables.ts'
import type { ChatflowRole } from './chatflow-role.ts'

/** What a builder decides about a workflow: the draft, and unchanged in each published version. */
export type WorkflowDraft = {
  name: string
  description: string
  iconUrl: string
  mode: WorkflowMode
  onCrash: OnCrash
  /** Text of a JSON object; whether it is a canvas that can run is asked when it is published. */
  canvas: string
  role: ChatflowRole
}

export type Workflow = WorkflowDraft & {
  id: string
  ownerId: string
  /** Whose variables and conversations its runs see. */
  appId: string | undefined
  liveVersionId: string | undefined
  createdAt: number
  /** Grows with every change. */
  updatedAt: number
}

/** One published version; it never changes. */
export type WorkflowVersion = WorkflowDraft & {
  id: string
  workflowId: string
  /** Has a digit in it: `published` and the empty name, which mean something else, are none. */
  version: string
  note: string
  createdAt: number
}

/** A workflow as lists show it. */
export type ListedWorkflow = Pick<WorkflowDraft, 'name' | 'description' | 'iconUrl' | 'mode'> & {
  id: string
  ownerId: string
  appId: string | undefined
  createdAt: number
  updatedAt: number
  /** Undefined while it is not published. */
  live: { version: string; publishedAt: number } | undefined
}

/** A version as lists show it. */
export type ListedVersion = Pick<WorkflowVersion, 'id' | 'workflowId' | 'version' | 'note' | 'name' | 'description' | 'mode' | 'createdAt'>
