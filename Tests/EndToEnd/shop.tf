# Event rules, topic rules, queues and HTTP targets as Terraform's AWS provider makes them, for the tests of it.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" {}

# What the second apply changes.
variable "description" { default = "the shop" }
variable "drink" { default = "latte" }
variable "seconds" { default = 20 }
variable "state" { default = "DISABLED" }

locals {
  role = "arn:aws:iam::000000000000:role/any"
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "any"
  secret_key                  = "any"
  max_retries                 = 1
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  default_tags {
    tags = { project = "crema" }
  }
  endpoints {
    events = var.endpoint
    iot    = var.endpoint
    sqs    = var.endpoint
  }
}

resource "aws_sqs_queue" "dead" {
  name = "terraform-dead"
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = ["arn:aws:sqs:us-east-1:000000000000:terraform-orders"]
  })
}

resource "aws_sqs_queue" "orders" {
  name                      = "terraform-orders"
  receive_wait_time_seconds = 5
  tags                      = { team = "bar" }
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 3
  })
}

resource "aws_sqs_queue_policy" "orders" {
  queue_url = aws_sqs_queue.orders.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "events"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.orders.arn
    }]
  })
}

resource "aws_cloudwatch_event_bus" "shop" {
  name        = "terraform-shop"
  description = var.description
}

resource "aws_cloudwatch_event_bus" "audit" {
  name = "terraform-audit"
  tags = { team = "audit" }
}

resource "aws_cloudwatch_event_permission" "neighbour" {
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  statement_id   = "Neighbour"
  principal      = "111111111111"
}

resource "aws_cloudwatch_event_bus_policy" "audit" {
  event_bus_name = aws_cloudwatch_event_bus.audit.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "neighbour"
      Effect    = "Allow"
      Principal = { AWS = "111111111111" }
      Action    = "events:PutEvents"
      Resource  = aws_cloudwatch_event_bus.audit.arn
    }]
  })
}

resource "aws_cloudwatch_event_rule" "orders" {
  name           = "terraform-orders"
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  description    = var.description
  event_pattern = jsonencode({
    source = ["terraform.shop"]
    detail = { user = [{ exists = true }] }
  })
  tags = { team = "bar" }
}

resource "aws_cloudwatch_event_rule" "tick" {
  name_prefix         = "terraform-tick-"
  schedule_expression = "rate(5 minutes)"
  state               = var.state
}

resource "aws_cloudwatch_event_target" "queue" {
  rule           = aws_cloudwatch_event_rule.orders.name
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  target_id      = "queue"
  arn            = aws_sqs_queue.orders.arn
  input_path     = "$.detail"

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 2
  }
}

# Without an identifier of its own: the provider makes one.
resource "aws_cloudwatch_event_target" "user" {
  rule           = aws_cloudwatch_event_rule.orders.name
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  arn            = "arn:aws:iot:us-east-1:000000000000:topic/users/<user>"

  input_transformer {
    input_paths    = { user = "$.detail.user" }
    input_template = "{\"user\": <user>, \"drink\": \"${var.drink}\"}"
  }
}

resource "aws_cloudwatch_event_target" "audit" {
  rule           = aws_cloudwatch_event_rule.orders.name
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  target_id      = "audit"
  arn            = aws_cloudwatch_event_bus.audit.arn
  role_arn       = local.role
}

resource "aws_cloudwatch_event_connection" "key" {
  name               = "terraform-key"
  authorization_type = "API_KEY"
  auth_parameters {
    api_key {
      key   = "x-api-key"
      value = "espresso"
    }
    invocation_http_parameters {
      header {
        key             = "x-shop"
        value           = var.drink
        is_value_secret = false
      }
      query_string {
        key             = "token"
        value           = "ristretto"
        is_value_secret = true
      }
    }
  }
}

resource "aws_cloudwatch_event_connection" "password" {
  name               = "terraform-password"
  description        = var.description
  authorization_type = "BASIC"
  auth_parameters {
    basic {
      username = "ann"
      password = "espresso"
    }
  }
}

resource "aws_cloudwatch_event_api_destination" "kitchen" {
  name                             = "terraform-kitchen"
  description                      = var.description
  invocation_endpoint              = "https://kitchen.example/orders/*"
  http_method                      = "POST"
  invocation_rate_limit_per_second = var.seconds
  connection_arn                   = aws_cloudwatch_event_connection.key.arn
}

resource "aws_cloudwatch_event_rule" "kitchen" {
  name          = "terraform-kitchen"
  event_pattern = jsonencode({ source = ["terraform.kitchen"] })
}

resource "aws_cloudwatch_event_target" "kitchen" {
  rule      = aws_cloudwatch_event_rule.kitchen.name
  target_id = "kitchen"
  arn       = aws_cloudwatch_event_api_destination.kitchen.arn
  role_arn  = local.role

  http_target {
    path_parameter_values   = [var.drink]
    header_parameters       = { x-cup = "small" }
    query_string_parameters = { table = "4" }
  }
}

resource "aws_cloudwatch_event_archive" "shop" {
  name             = "terraform-archive"
  description      = var.description
  event_source_arn = aws_cloudwatch_event_bus.shop.arn
  event_pattern    = jsonencode({ source = ["terraform.shop"] })
  retention_days   = var.seconds
}

resource "aws_iot_topic_rule" "places" {
  name        = "terraform_places"
  description = var.description
  enabled     = true
  sql         = "SELECT temperature AS t, topic(2) AS place FROM 'terraform/+'"
  sql_version = "2016-03-23"
  tags        = { team = "bar" }

  republish {
    role_arn = local.role
    topic    = "places/$${topic(2)}"
    qos      = 1
  }
  sqs {
    queue_url  = aws_sqs_queue.orders.url
    role_arn   = local.role
    use_base64 = false
  }
  error_action {
    sqs {
      queue_url  = aws_sqs_queue.dead.url
      role_arn   = local.role
      use_base64 = true
    }
  }
}

data "aws_cloudwatch_event_bus" "default" {
  name = "default"
}

data "aws_cloudwatch_event_buses" "terraform" {
  name_prefix = "terraform-"
  depends_on  = [aws_cloudwatch_event_bus.shop, aws_cloudwatch_event_bus.audit]
}

data "aws_cloudwatch_event_connection" "key" {
  name = aws_cloudwatch_event_connection.key.name
}

data "aws_sqs_queue" "orders" {
  name = aws_sqs_queue.orders.name
}

output "default" { value = data.aws_cloudwatch_event_bus.default.arn }
output "buses" { value = sort(data.aws_cloudwatch_event_buses.terraform.event_buses[*].name) }
output "connection" { value = data.aws_cloudwatch_event_connection.key.authorization_type }
output "queue" { value = data.aws_sqs_queue.orders.arn }
