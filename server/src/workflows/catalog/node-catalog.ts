import { nodeTypes } from '../nodes/node-registry.ts'
import { chatKinds } from './chat-kinds.ts'
import { flowKinds } from './flow-kinds.ts'
import type { NodeKind } from './node-kind.ts'
import { workKinds } from './work-kinds.ts'

/** Every kind of node that runs, for editors: by group, what is used most first. `name` is the one of events. */
export const nodeCatalog: (NodeKind & { name: string })[] = [...flowKinds, ...workKinds, ...chatKinds].flatMap((each) => {
  const type = nodeTypes.get(each.code)
  return type ? [{ ...each, name: type.name }] : []
})
