// module cloudflare:durable-objects
declare const __coldstart: any;
export const { retryable } = __coldstart["cloudflare:durable-objects"];
