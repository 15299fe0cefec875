/** What a run waits for: somebody's answer to the event with this id. */
export type WaitingEvent = {
  id: string
  nodeId: string
  nodeType: string
  nodeTitle: string
  /** 2 question, 5 input. */
  type: number
  /** JSON text: what is asked. */
  data: string
  /** Where the node is in the run, as its record has it: `192046#2/131543` is in the third pass of a loop. */
  path: string
}
