import { isRecord } from '../../lib/json-schema.ts'

/**
 * Names of a canvas are matched without regard to case: exported files hold `readonly` beside
 * `readOnly` and `backupLLmParam` beside `backupLLMParam`. Here they get the one spelling that our parsers know.
 */
export function canonicalKeys(value: unknown): unknown {
  return rename(value, 0)
}

const MAX_DEPTH = 200

/** What users write, and maps whose names are the user's. */
const untouched = new Set(['defaultValue', 'rawMeta', 'variableTypeMap', 'meta', 'size'])

function rename(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((each: unknown) => rename(each, depth + 1))
  if (!isRecord(value)) return value

  const entries = Object.entries(value).map(([name, each]): [string, unknown] => {
    const canonical = spelling(name)
    const isUsers = untouched.has(canonical) || (canonical === 'content' && isLiteral(value))
    return [canonical, isUsers ? each : rename(each, depth + 1)]
  })
  return Object.fromEntries(entries)
}

/** The content of a reference has names of the format, that of a literal is the user's. */
const isLiteral = (value: Record<string, unknown>): boolean =>
  Object.entries(value).some(([name, each]) => each === 'literal' && spelling(name) === 'type')

const known = `nodes edges versions id type meta data nodeMeta title description icon subTitle mainColor outputs inputs size blocks version
sourceNodeID targetNodeID sourcePortID targetPortID name input left right variables assistType schema value content rawMeta source blockID path
required readOnly defaultValue terminatePlan inputParameters streamingOutput settingOnError switch processType dataOnErr retryTimes timeoutMs ext
backupLLMParam llmParam fcParam batch batchEnable batchSize concurrentSize inputLists workflowFCParam workflowList workflow_id workflow_version
plugin_id is_draft fc_setting request_params response_params local_disable local_default pluginFCParam pluginList api_id api_name plugin_version
knowledgeFCParam knowledgeList global_setting apiParam pluginFrom datasetParam strategyParam parsingStrategy chunkStrategy indexStrategy
chatHistorySetting enableChatHistory chatHistoryRound branches condition logic conditions operator workflowId workflowVersion spaceId inputDefs
databaseInfoList databaseInfoID sql selectParam conditionList fieldList fieldID isDistinct orderByList isAsc limit insertParam fieldInfo updateParam
deleteParam operation method concatParams concatResult arrayItemConcatChar allArrayItemConcatChars splitParams delimiters question answer_type
option_type options dynamic_option extra_output modelName modelType temperature topP maxTokens responseFormat systemPrompt prompt loopType loopCount
variableParameters variableTypeMap mergeGroups intents mode outputSchema apiInfo url headers params auth authOpen authType authData bearerTokenData
customData addTo body bodyType bodyData json rawText formData formURLEncoded binary fileURL setting timeout code language schemaType note`
  .split(/\s+/)
  .map((name): [string, string] => [name.toLowerCase(), name])

const spellings = new Map(known)
const spelling = (name: string): string => spellings.get(name.toLowerCase()) ?? name
