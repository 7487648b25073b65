// The table of endpoints: one function a resource, each in its own file.
#pragma once

#include "appliance/hearthd/endpoints/endpoint.h"
#include "appliance/hearthd/service.h"

namespace hearth {

void add_box(Endpoints& table, Service& service);
void add_hardware(Endpoints& table, Service& service);
void add_models(Endpoints& table, Service& service);
void add_packs(Endpoints& table, Service& service);
void add_store(Endpoints& table, Service& service);
void add_deployments(Endpoints& table, Service& service);
void add_datasets(Endpoints& table, Service& service);
void add_presets(Endpoints& table, Service& service);
void add_jobs(Endpoints& table, Service& service);
void add_events(Endpoints& table, Service& service);
void add_openai(Endpoints& table, Service& service);
void add_health(Endpoints& table, Service& service);
void add_metrics(Endpoints& table, Service& service);
void add_openapi(Endpoints& table);  // last: describes those above

// What the OpenAI endpoints take and give, as JSON Schema.
Json chat_request_schema();
Json chat_response_schema();
Json completion_request_schema();
Json embeddings_request_schema();
Json rerank_request_schema();

Endpoints all_endpoints(Service& service);
http::Router make_router(Endpoints endpoints);
Json openapi_document(const Endpoints& endpoints);

}  // namespace hearth
