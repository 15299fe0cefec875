import { randomUUID } from 'node:crypto'
import type { ModelChunk, ModelToolCall } from './model-adapter.ts'

type Fragment = Extract<ModelChunk, { type: 'tool_call' }>

/** Puts the fragments of tool calls together, in the order of their indexes. */
export function collectToolCalls(): { add(fragment: Fragment): void; calls(): ModelToolCall[] } {
  const byIndex = new Map<number, ModelToolCall>()
  return {
    add({ index, id, name, arguments: args }) {
      const call = byIndex.get(index) ?? { id: '', name: '', arguments: '' }
      byIndex.set(index, { id: id || call.id, name: name || call.name, arguments: call.arguments + (args ?? '') })
    },
    calls() {
      const inOrder = [...byIndex.entries()].sort(([one], [other]) => one - other).map(([, call]) => call)
      // some servers give no ids: the results must still find their call
      return inOrder.filter((call) => call.name !== '').map((call) => ({ ...call, id: call.id || `call_${randomUUID().slice(0, 8)}` }))
    },
  }
}
