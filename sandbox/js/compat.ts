// What depends on the compatibility date: Workers of older dates see the platform as
// it was. Also Cloudflare.compatibilityFlags: which flags a date turns on.

import { ArrayPush, NativeError, ObjectDefineProperty, ObjectGetOwnPropertyNames, StringSplit, isPlatform } from "./primordials";
import { ReadableStream, WritableStream } from "./streams";

/** The dates from which flags are on, each with its flags. */
const since = `
2021-11-03 formdata_parser_supports_files
2021-11-10 fetch_refuses_unknown_protocols durable_object_fetch_requires_full_url streams_byob_reader_detaches_buffer
2022-01-31 workers_api_getters_setters_on_prototype
2022-03-08 no_cots_on_external_fetch
2022-03-21 global_navigator
2022-04-05 minimal_subrequests
2022-06-01 dont_substitute_null_on_type_error
2022-08-04 r2_list_honor_include
2022-10-31 url_standard capture_async_api_throws export_commonjs_default
2022-11-30 streams_enable_constructors transformstream_enable_standard_constructor
2023-03-01 http_headers_getsetcookie dynamic_dispatch_tunnel_exceptions
2023-03-14 response_redirect_url_standard
2023-07-01 urlsearchparams_delete_has_value_arg
2023-08-01 no_cf_botmanagement_default strict_compression_checks strict_crypto_checks
2023-08-15 web_socket_compression
2023-11-08 vectorize_query_metadata_optional
2023-12-01 crypto_preserve_public_exponent
2024-03-04 no_global_importscripts
2024-03-18 queues_json_messages
2024-03-26 fetcher_no_get_put_delete
2024-04-01 unwrap_custom_thenables
2024-04-03 rpc
2024-04-29 brotli_content_encoding
2024-05-13 internal_stream_byob_return_view
2024-06-03 blob_standard_mime_type fetch_standard_url
2024-09-02 allow_custom_ports internal_writable_stream_abort_clears_queue
2024-09-26 set_tostring_tag
2024-10-14 handle_cross_request_promise_resolution upper_case_all_http_methods
2024-11-11 cache_option_enabled
2024-12-02 disable_top_level_await_in_require
2024-12-16 fixup-transform-stream-backpressure
2025-03-10 unique_ctx_per_invocation
2025-04-01 assets_navigation_prefers_asset_serving
2025-04-02 request_cf_overrides_cache_rules
2025-04-19 cache_api_compat_flags
2025-05-01 urlpattern_standard
2025-05-05 enable_weak_ref
2025-05-19 cache_api_request_cf_overrides_cache_rules enable_navigator_language
2025-06-01 allow_eval_during_startup
2025-06-16 bind_asynclocalstorage_snapshot_to_request throw_on_unrecognized_import_assertion
2025-08-01 set_event_target_this set_forwardable_email_full_headers
2025-08-07 cache_no_cache_enabled
2025-08-11 python_workers_force_new_vendor_path
2025-08-14 python_no_global_handlers
2025-08-15 expose_global_message_channel
2025-09-01 strip_authorization_on_cross_origin_redirect
2025-09-20 enable_validate_workflow_entrypoint
2025-11-17 enable_ctx_exports
2025-12-03 enable_fast_jsg_struct
2026-01-13 strip_bom_in_read_all_text
2026-01-20 rpc_params_dup_stubs
2026-01-22 require_returns_default_export
2026-02-17 python_request_headers_preserve_commas
2026-02-19 fetch_iterable_type_support fetch_iterable_type_support_override_adjustment
2026-02-24 text_decoder_replace_surrogates delete_all_deletes_alarm
2026-03-03 unhandled_rejection_after_microtask_checkpoint text_decoder_cjk_decoder websocket_close_reason_byte_limit
2026-03-12 queue_expose_error_codes
2026-03-17 websocket_standard_binary_type
2026-03-24 writable_stream_spec_compliant_writer encoder_stream_spec_compliant_backpressure
2026-04-01 containers_pid_namespace
2026-04-07 web_socket_auto_reply_to_close
2026-04-21 enhanced_error_serialization enable_python_external_sdk
2026-05-14 workflows_preserve_non_retryable_error_message
2026-05-19 diagnostics_channel_has_subscribers_getter
2026-05-26 python_process_pth_files
2026-06-16 throw_on_not_implemented_tls_options
2026-08-04 nodejs_compat nodejs_compat_v2 nodejs_zlib nodejs_compat_populate_process_env enable_nodejs_process_v2 enable_nodejs_http_modules enable_nodejs_http_server_modules enable_nodejs_fs_module enable_nodejs_os_module remove_nodejs_compat_eol enable_nodejs_http2_module enable_nodejs_console_module enable_nodejs_vm_module enable_nodejs_perf_hooks_module enable_global_performance_classes enable_nodejs_domain_module enable_nodejs_v8_module enable_nodejs_tty_module enable_nodejs_punycode_module enable_nodejs_cluster_module enable_nodejs_child_process_module enable_nodejs_worker_threads_module enable_nodejs_stream_wrap_module enable_nodejs_wasi_module enable_nodejs_dgram_module enable_nodejs_inspector_module enable_nodejs_trace_events_module enable_nodejs_readline_module enable_nodejs_repl_module enable_nodejs_sqlite_module enable_nodejs_global_timers
2026-08-11 workflows_enable_fast_engine_creation
2026-09-15 spec_compliant_dispatch_exceptions
2026-10-01 durable_object_io_tasks_prevent_eviction`;
/** Flags that no date turns on; those of Python and of the runtime's own tests are left out. */
const never = "allow_insecure_inefficient_logged_eval allow_irrevocable_stub_storage auto_grpc_convert auto_inject_python_workers cache_option_preserves_cache_control cache_reload_enabled connect_handler_starttls connect_pass_through d1_binding_jsrpc disallow_importable_env durable_object_alarms durable_object_get_existing durable_object_rename durable_object_snapshots enable_abortsignal_rpc enable_ctx_version_metadata enable_d1_with_sessions_api enable_email_sending_queuing enable_nodejs_inspector_local_dev enable_request_signal enable_streams_nodejs_v24_compat enable_version_api enable_web_file_system env_module_nullable_support experimental expose_draining_reader global_fetch_strictly_public html_rewriter_treats_esi_include_as_void_tag immutable_api_prototypes increase_websocket_message_size js_rpc kv_direct_binding memory_cache_delete new_module_registry no_resizable_array_buffer_in_blob nodejs_als nodejs_process_version_24 nonclass_entrypoint_reuses_ctx_across_invocations offpeak_location_hint pedantic_wpt pipe_to_backward_propagation precise_timers queue_consumer_no_wait_for_wait_until r2_binding_jsrpc remove_nodejs_compat_eol_v22 remove_nodejs_compat_eol_v23 remove_nodejs_compat_eol_v24 replica_routing request_signal_passthrough rpc_dispose_cancels_call service_binding_extra_handlers spec_compliant_property_attributes streaming_tail_worker streams_no_default_auto_allocate_chunk_size tail_worker_user_spans tcp_sockets_support temporal typescript_implemented_streams typescript_strip_types unsafe_module unsupported_process_actual_platform wasm_esm_integration_builtins wasm_memory_discard wasm_source_url_support webcrypto_modern_algorithms webgpu workflows_bindings_rpc workflows_step_rollback";

/** The flags of a Worker, by its date and by those it names itself. */
export function flagsOf(date: string, named: string, node: boolean): Record<string, boolean> {
  const out: Record<string, boolean> = { __proto__: null } as any;
  out.r2_public_beta_bindings = true;
  const lines = StringSplit(since, "\n");
  for (let i = 1; i < lines.length; i++) {
    const words = StringSplit(lines[i], " ");
    for (let j = 1; j < words.length; j++) out[words[j]] = date >= words[0];
  }
  const off = StringSplit(never, " ");
  for (let i = 0; i < off.length; i++) out[off[i]] = false;
  const own = StringSplit(named, " ");
  for (let i = 0; i < own.length; i++) if (own[i] in out) out[own[i]] = true;
  out.nodejs_compat = node;
  return out;
}

const docs = "Refer to the docs for more information: https://developers.cloudflare.com/workers/platform/compatibility-dates/#compatibility-flags";

/** Makes the global scope that of an older date; a flag that is named stays on. */
export function asOf(date: string, named: string, node: boolean): void {
  const g = globalThis as any;
  const lacks = (day: string, flag: string): boolean => date < day && StringSplit(named, " ").indexOf(flag) < 0;
  const gone = (...names: string[]) => {
    for (let i = 0; i < names.length; i++) delete g[names[i]];
  };
  if (lacks("2026-08-04", "enable_global_performance_classes") && !node) {
    gone("PerformanceEntry", "PerformanceMark", "PerformanceMeasure");
    for (const k of ObjectGetOwnPropertyNames(g.Performance.prototype)) if (k !== "constructor" && k !== "now" && k !== "timeOrigin" && k !== "toJSON") delete g.Performance.prototype[k];
  }
  if (lacks("2025-08-15", "expose_global_message_channel")) gone("MessageChannel", "MessagePort");
  if (lacks("2025-05-19", "enable_navigator_language")) delete g.Navigator.prototype.language;
  if (lacks("2025-05-05", "enable_weak_ref")) gone("WeakRef", "FinalizationRegistry");
  if (lacks("2024-09-26", "set_tostring_tag")) {
    for (const k of ObjectGetOwnPropertyNames(g)) {
      const proto = typeof g[k] === "function" ? g[k].prototype : undefined;
      if (typeof proto === "object" && proto !== null && isPlatform({ __proto__: proto })) delete proto[Symbol.toStringTag];
    }
  }
  if (lacks("2023-03-01", "http_headers_getsetcookie")) delete g.Headers.prototype.getSetCookie;
  if (lacks("2022-11-30", "streams_enable_constructors")) {
    for (const [name, C] of [["ReadableStream", ReadableStream], ["WritableStream", WritableStream]] as [string, any][]) {
      const Old: any = { [name]: function () {
        throw new NativeError(`To use the new ${name}() constructor, enable the streams_enable_constructors compatibility flag. ${docs}`);
      } }[name];
      Old.prototype = C.prototype;
      if (C.from !== undefined) Old.from = C.from;
      ObjectDefineProperty(g, name, { value: Old, writable: true, enumerable: false, configurable: true });
    }
  }
  if (lacks("2022-11-30", "transformstream_enable_standard_constructor")) {
    const Identity = g.IdentityTransformStream, Old: any = { TransformStream: function () { return new Identity(); } }.TransformStream;
    Old.prototype = g.TransformStream.prototype;
    ObjectDefineProperty(g, "TransformStream", { value: Old, writable: true, enumerable: false, configurable: true });
  }
  if (lacks("2022-03-21", "global_navigator")) gone("navigator");
}
