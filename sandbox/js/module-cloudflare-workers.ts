// module cloudflare:workers
declare const __coldstart: any;
const w = __coldstart["cloudflare:workers"];
export const { WorkerEntrypoint, DurableObject, WorkflowEntrypoint, RpcTarget, RpcStub, env, waitUntil, exports, withEnv, withExports, withEnvAndExports, RpcPromise, RpcProperty, cache, tracing } = w;
