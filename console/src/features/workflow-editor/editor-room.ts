import { createContext, use, useSyncExternalStore } from 'react'
import type { CanvasIssue } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import type { EditorState, EditorStore } from './editor-store.ts'
import type { NodeTypeMap } from './workflow-editor-queries.ts'

/** What all parts of the open editor share. */
export type EditorRoom = {
  workflowId: string
  store: EditorStore
  types: NodeTypeMap
  /** Of this workflow, as it was last checked. */
  issues: CanvasIssue[]
  /** The node whose settings are open. */
  selectedId: string | undefined
  select(nodeId: string | undefined): void
}

const Context = createContext<EditorRoom | undefined>(undefined)
export const EditorRoomProvider = Context.Provider

export function useEditorRoom(): EditorRoom {
  const room = use(Context)
  if (!room) throw new Error('there is no open editor here')
  return room
}

/** A part of the state; drawn anew only when that part changes. */
export function useEditorState<T>(pick: (state: EditorState) => T): T {
  const { store } = useEditorRoom()
  return useSyncExternalStore(store.subscribe, () => pick(store.getState()))
}
