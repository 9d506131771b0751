// Values of the azd environment: azd env set NAME VALUE.
using './main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param entraClientId = readEnvironmentVariable('BATCHPOINT_CLIENT_ID')
param entraAudiences = readEnvironmentVariable('BATCHPOINT_AUDIENCES', '')
param hosting = readEnvironmentVariable('BATCHPOINT_HOSTING', 'flex')
param nodeVersion = readEnvironmentVariable('BATCHPOINT_NODE_VERSION', '22')
param containerImage = readEnvironmentVariable('BATCHPOINT_IMAGE', '')
param allowCode = bool(readEnvironmentVariable('BATCHPOINT_ALLOW_CODE', 'false'))
param privateNetwork = bool(readEnvironmentVariable('BATCHPOINT_PRIVATE_NETWORK', 'false'))
param allowedAddresses = json(readEnvironmentVariable('BATCHPOINT_ALLOWED_ADDRESSES', '[]'))
param watchedContainers = json(readEnvironmentVariable('BATCHPOINT_WATCHED_CONTAINERS', '[]'))
param workspaceName = readEnvironmentVariable('BATCHPOINT_WORKSPACE_NAME', 'batchpoint')
